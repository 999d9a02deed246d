"""Export of models: file formats, preprocessing.json, the model card, the parity check and MLflow's registry."""
