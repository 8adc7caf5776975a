"""The jobs: pure functions, and one workbench that joins them to models and stores."""
