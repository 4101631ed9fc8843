"""Figures computed from a project's own files: results by group, splits, privacy, DICOM headers, drift.

`tables` reads, `figures` and `intervals` count, each other module makes one kind of evidence as plain values; `report` and `plots` turn
those into files. Untrusted bytes are read in the sandbox. No row of data leaves the functions that read it: only counts and statistics do.
"""
