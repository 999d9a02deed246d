"""The command lines: `medcls`, and those of studies and demonstrations."""
