-- description: No card is free or has a price below zero.
-- severity: error
-- tags: prices
SELECT id, price
FROM cards
WHERE price <= 0
