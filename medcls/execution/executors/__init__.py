"""Where runs are trained: processes of this machine, or Ray."""
