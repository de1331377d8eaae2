"""JSON Schemas, read more strictly than they are written."""

from typing import Any


def closed(schema: Any) -> Any:
    """The same schema, where no object may have more than the properties that it names."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(part) for name, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        result["additionalProperties"] = False
    return result
