# Copyright (C) the modelguard authors

"""What the replay server answers.  The numbers that a guard has to treat are
0.xxx with nine digits; answers.py and the clients' expectations meet in
nothing else."""

import base64
import collections
import json
import re
import struct

Whole = collections.namedtuple("Whole", "status body type headers",
                               defaults=("application/json", ()))
Stream = collections.namedtuple("Stream", "frames type gate held headers",
                                defaults=((),))

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"

VECTOR = (0.123456789, -0.987654321, 0.5, 0.000123456)
TOKENS = (("Hel", -0.123456789), ("lo", -1.234567891), ("!", -0.012345678))

USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}

# telling headers, that a guard may strip

HEADERS = (("x-model-version", "7.3.1"), ("openai-processing-ms", "41.137"))

FAILURES = {
    "openai": {"error": {"message": "a probability of 0.837261945 is too low",
                         "type": "server_error", "param": None,
                         "code": "internal"}},
    "anthropic": {"type": "error",
                  "error": {"type": "api_error",
                            "message": "0.837261945 is too low"}},
    "ollama": {"error": "a probability of 0.837261945 is too low"},
    "huggingface": {"error": "a probability of 0.837261945 is too low"},
    "triton": {"error": "a probability of 0.837261945 is too low"},
}


def whole(document, status=200):
    return Whole(status, json.dumps(document).encode(), headers=HEADERS)


def failure(provider):
    return whole(FAILURES[provider], 500)


def stream(frames, model, kind, held):
    """held: how many frames come before the gate, the last of which is that
    of the first token."""

    if not model.startswith("gate-"):
        return Stream(frames, kind, None, held, HEADERS)

    # nginx itself holds what a buffer has room for, unless it is told so

    return Stream(frames, kind, model[5:], held,
                  HEADERS + (("X-Accel-Buffering", "no"),))


def event(document, name=None):
    text = document if isinstance(document, str) else json.dumps(document)
    return ("%sdata: %s\n\n"
            % ("event: %s\n" % name if name else "", text)).encode()


def line(document):
    return (json.dumps(document) + "\n").encode()


def damaged(frames, frame):
    """The frames with one in their middle that is no JSON."""

    middle = len(frames) // 2
    return frames[:middle] + [frame] + frames[middle:]


# OpenAI

def token(text, logprob):
    return {"token": text, "logprob": logprob, "bytes": list(text.encode()),
            "top_logprobs": [{"token": text, "logprob": logprob,
                              "bytes": None}]}


def chat(request):
    return whole({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
        "model": request["model"], "system_fingerprint": "fp_44709d6fcb",
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello!",
                        "refusal": None},
            "logprobs": {"content": [token(*t) for t in TOKENS],
                         "refusal": None}}],
        "usage": USAGE})


def chat_chunk(request, delta, logprobs=None, finish=None):
    return chat_event(request, [{"index": 0, "delta": delta,
                                 "finish_reason": finish,
                                 "logprobs": logprobs}])


def chat_event(request, choices, usage=None):
    """Asked for it, a stream tells its usage in an event of no choice."""

    document = {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
        "model": request["model"], "system_fingerprint": "fp_44709d6fcb",
        "choices": choices}

    if (request.get("stream_options") or {}).get("include_usage"):
        document["usage"] = usage

    return event(document)


def chat_stream(request):
    model = request["model"]

    frames = [chat_chunk(request, {"role": "assistant", "content": ""})]

    frames += [chat_chunk(request, {"content": text},
                          {"content": [token(text, logprob)],
                           "refusal": None})
               for text, logprob in TOKENS]

    if model == "broken":
        frames = damaged(frames, b'data: {"choices": [{"delta": \n\n')

    frames += [chat_chunk(request, {}, None, "stop")]

    if (request.get("stream_options") or {}).get("include_usage"):
        frames += [chat_event(request, [], USAGE)]

    frames += [event("[DONE]")]

    return stream(frames, model, EVENTS, 2)


def embeddings(request):
    if request.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<4f", *VECTOR)).decode()
    else:
        vector = list(VECTOR)

    return whole({"object": "list", "model": request["model"],
                  "data": [{"object": "embedding", "index": 0,
                            "embedding": vector}],
                  "usage": {"prompt_tokens": 2, "total_tokens": 2}})


def moderations(request):
    scores = {"harassment": 0.000123456, "violence": 0.987654321}

    return whole({"id": "modr-1", "model": request["model"],
                  "results": [{"flagged": True, "category_scores": scores,
                               "categories": {"harassment": False,
                                              "violence": True}}]})


def completions(request):
    return whole({
        "id": "cmpl-1", "object": "text_completion", "created": 1,
        "model": request["model"],
        "choices": [{
            "text": "Hello!", "index": 0, "finish_reason": "length",
            "logprobs": {
                "tokens": [t for t, _ in TOKENS],
                "token_logprobs": [p for _, p in TOKENS],
                "top_logprobs": [{t: p} for t, p in TOKENS],
                "text_offset": [0, 3, 5]}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 3,
                  "total_tokens": 8}})


def openai(path, request):
    if request["model"] == "failing":
        return failure("openai")

    if path.endswith("/chat/completions"):
        return chat_stream(request) if request.get("stream") else chat(request)

    known = {"/embeddings": embeddings, "/moderations": moderations,
             "/completions": completions}

    return known["/" + path.rsplit("/", 1)[1]](request)


# Anthropic

def message(request, content, reason):
    return {"id": "msg_1", "type": "message", "role": "assistant",
            "model": request["model"], "content": content,
            "stop_reason": reason, "stop_sequence": None,
            "usage": {"input_tokens": 5, "output_tokens": 3,
                      "service_tier": "standard"}}


def anthropic(path, request):
    model = request["model"]

    if model == "failing":
        return failure("anthropic")

    if not request.get("stream"):
        return whole(message(request, [{"type": "text", "text": "Hello!"}],
                             "end_turn"))

    def named(document):
        return event(document, document["type"])

    frames = [named({"type": "message_start",
                     "message": message(request, [], None)}),
              named({"type": "content_block_start", "index": 0,
                     "content_block": {"type": "text", "text": ""}}),
              named({"type": "ping"})]

    frames += [named({"type": "content_block_delta", "index": 0,
                      "delta": {"type": "text_delta", "text": text}})
               for text, _ in TOKENS]

    if model == "broken":
        frames = damaged(frames, b'event: content_block_delta\n'
                                 b'data: {"type": "content_block_\n\n')

    frames += [named({"type": "content_block_stop", "index": 0}),
               named({"type": "message_delta",
                      "delta": {"stop_reason": "end_turn",
                                "stop_sequence": None},
                      "usage": {"output_tokens": 3}}),
               named({"type": "message_stop"})]

    return stream(frames, model, EVENTS, 4)


# Ollama

def ollama(path, request):
    model = request["model"]
    name = path.rsplit("/", 1)[1]

    if model == "failing":
        return failure("ollama")

    if name == "embed":
        return whole({"model": model, "embeddings": [list(VECTOR)],
                      "total_duration": 123456789, "prompt_eval_count": 2})

    def part(text, logprob=None, done=False):
        document = {"model": model, "created_at": "2025-01-01T00:00:00Z",
                    "done": done}

        if name == "chat":
            document["message"] = {"role": "assistant", "content": text}
        else:
            document["response"] = text

        if logprob is not None:
            document["logprobs"] = [token(text, logprob)]

        if done:
            document.update(done_reason="stop", total_duration=123456789,
                            load_duration=98765432, eval_count=3)

        return document

    if not request.get("stream", True):
        document = part("Hello!", None, True)
        document["logprobs"] = [token(*t) for t in TOKENS]
        return whole(document)

    frames = [line(part(*t)) for t in TOKENS]

    if model == "broken":
        frames = damaged(frames, b'{"model": "broken", "response": \n')

    frames += [line(part("", None)), line(part("", None, True))]

    return stream(frames, model, LINES, 1)


# Hugging Face: the model is an address, whose last step is its name

def huggingface(path, request):
    steps = path.split("/")
    model = steps[2]

    if model == "failing":
        return failure("huggingface")

    if path.endswith("/chat/completions"):
        request["model"] = model
        return openai(path, request)

    if model == "embedding":
        return whole([list(VECTOR)])

    return whole([[{"label": "POSITIVE", "score": 0.987654321},
                   {"label": "NEGATIVE", "score": 0.012345679}]])


# Open Inference v2 with the binary tensors of Triton: the client sends
# FP32 values, the model answers them through a fixed function

def tensors(request, rest):
    """The values of the inputs by name."""

    found = {}

    for tensor in request["inputs"]:
        size = tensor.get("parameters", {}).get("binary_data_size")

        if size is None:
            found[tensor["name"]] = tensor["data"]
            continue

        found[tensor["name"]] = [
            v[0] for v in struct.iter_unpack("<f", rest[:size])]
        rest = rest[size:]

    return found


def triton_infer(model, body, headers):
    length = int(headers.get("Inference-Header-Content-Length", len(body)))
    request = json.loads(body[:length])
    values = tensors(request, body[length:])["INPUT"]

    # "probabilities" that need all the digits of a float

    scores = [struct.unpack("<f", struct.pack("<f", (v + 0.123456789) / 10))[0]
              for v in values]

    binary = request.get("parameters", {}).get("binary_data_output", False)

    for output in request.get("outputs", ()):
        binary = output.get("parameters", {}).get("binary_data", binary)

    tensor = {"name": "OUTPUT", "datatype": "FP32", "shape": [1, len(scores)]}

    answer = {"model_name": model, "model_version": "1", "outputs": [tensor]}

    if not binary:
        tensor["data"] = scores
        return whole(answer)

    data = struct.pack("<%df" % len(scores), *scores)
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps(answer).encode()

    return Whole(200, head + data, "application/octet-stream",
                 (("Inference-Header-Content-Length", str(len(head))),))


def triton(path, body, headers):
    if body is None:
        return whole({"name": "replay", "ready": True})

    model = re.search(r"/models/([^/]+)/", path).group(1)

    if model == "failing":
        return failure("triton")

    return triton_infer(model, body, headers)


def find(path, body, headers):
    """The answer to a request; None if there is none."""

    path = path.partition("?")[0]

    if path.startswith("/v2/"):
        return triton(path, body, headers)

    if body is None:
        return None

    request = json.loads(body)

    if path.startswith("/v1/messages"):
        return anthropic(path, request)

    if path.startswith("/v1/"):
        return openai(path, request)

    if path.startswith("/api/"):
        return ollama(path, request)

    if path.startswith("/hf/"):
        return huggingface(path, request)

    return None
