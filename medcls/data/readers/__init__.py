"""Image files, tables, folders and arrays as they lie on disk."""
