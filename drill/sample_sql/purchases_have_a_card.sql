-- description: Every purchase belongs to a card.
-- severity: warn
SELECT p.id
FROM purchases p
LEFT JOIN cards c ON c.purchase_id = p.id
WHERE c.id IS NULL
