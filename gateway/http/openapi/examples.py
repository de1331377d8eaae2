"""Examples of what the API takes and answers."""

EVENT = {
    "id": "run_af36d00e722d06691d6fa449-9",
    "event": "thread.message.delta",
    "data": '{"event":"thread.message.delta","data":{"id":"msg_d33823481071b40f46d277cf",'
    '"object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text",'
    '"text":{"value":" as"}}]}}}',
}
STARTED = {
    "thread_id": "thread_fb92669833174f60a5dadeac",
    "initial_message": "Hello! Which city's weather would you like to know?",
    "correlation_id": "42f759aeda8c098d",
}
USAGE = {"prompt_tokens": 268, "completion_tokens": 23, "total_tokens": 291}
ANSWERED = {
    "responses": ["Here is what I found. Paris: city Paris, day 0, sky windy, celsius -2."],
    "thread_id": "thread_fb92669833174f60a5dadeac",
    "run_id": "run_8d30483d075b931d1c0713b2",
    "status": "completed",
    "correlation_id": "42f759aeda8c098d",
    "usage": USAGE,
}
MESSAGE = {
    "id": "msg_d33823481071b40f46d277cf",
    "object": "thread.message",
    "created_at": 1795254840,
    "thread_id": "thread_fb92669833174f60a5dadeac",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "text", "text": {"value": "Here is what I found.", "annotations": []}}],
    "assistant_id": "asst_weather_desk",
    "run_id": "run_8d30483d075b931d1c0713b2",
    "attachments": [],
    "completed_at": 1795254841,
    "incomplete_at": None,
    "incomplete_details": None,
    "metadata": {},
}
PAGE = {
    "object": "list",
    "data": [MESSAGE],
    "first_id": MESSAGE["id"],
    "last_id": MESSAGE["id"],
    "has_more": False,
}
RUN = {
    "id": "run_8d30483d075b931d1c0713b2",
    "object": "thread.run",
    "thread_id": "thread_fb92669833174f60a5dadeac",
    "assistant_id": "asst_weather_desk",
    "model": "gpt-6-luna",
    "status": "completed",
    "created_at": 1795254840,
    "ended_at": 1795254841,
    "last_error": None,
    "usage": USAGE,
    "correlation_id": "42f759aeda8c098d",
}
CANCELLING = RUN | {"status": "cancelling", "ended_at": None, "usage": None}
SESSION = {"token": "ags_eyJhbGciOiJIUzI1NiJ9.eyJ0ZW4iOiJhY21lIn0.c2ln", "expires_at": 1795258440}
DELETED = {"id": "thread_fb92669833174f60a5dadeac", "object": "thread.deleted", "deleted": True}
