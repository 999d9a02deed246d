"""What a study is going to do: its flags applied, its data sets described, its runs listed."""
