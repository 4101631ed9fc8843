"""Pincite: a local assistant for regulatory compliance whose every statement carries a checked pinpoint citation."""

import os

__version__ = "0.1.0"

# Before any dependency is imported: everything by which one could call home is off. Nothing leaves the machine unless the
# user fetches a text or names a model server.
OPT_OUTS = {
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime from 1.29 on sends events by a native thread, which no guard within Python sees
    "OTEL_SDK_DISABLED": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_OFFLINE": "1",
}
os.environ.update(OPT_OUTS)
