"""The commands of `medcls`, one file a family: each adds its parsers and carries its commands out."""
