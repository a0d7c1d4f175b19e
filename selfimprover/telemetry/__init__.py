"""Reading an assistant's task telemetry, and recording it for assistants that have none."""
