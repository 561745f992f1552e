"""The tabular kit: from a file with rows and columns to a checked, trained, evaluated model and a report."""
