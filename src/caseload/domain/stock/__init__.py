"""Stock: controlled medicine from the supplier to the dose, to the milligram."""
