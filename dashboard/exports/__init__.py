"""Customer lists as files: CSV, XLSX, Parquet, manifest and control group."""
