"""The system: settings, doctor, compact, forget, sandbox, tools, completion."""
