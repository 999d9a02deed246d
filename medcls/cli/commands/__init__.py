"""The commands of `medcls`, one file each: it adds its parsers and calls one function."""
