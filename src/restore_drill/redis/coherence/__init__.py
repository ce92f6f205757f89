"""Whether Redis agrees with the restored database: keys against rows, by rules of the user."""
