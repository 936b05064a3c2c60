"""The resources that people declare in YAML: models, reading of files, CRDs."""
