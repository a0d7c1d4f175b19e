"""Analyzers: small plug-ins that turn telemetry into findings."""
