"""Opening what holds sales: text, workbooks, Parquet, archives, folders, databases."""
