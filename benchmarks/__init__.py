"""What medcls costs and gains, each as a ratio within one run; see each file's docstring for the command."""
