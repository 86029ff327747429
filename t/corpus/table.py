# Copyright (C) the modelguard authors

"""All files of the corpus, by number.

An entry in scope is Guard(fields, specs, survive, extra).  "fields" is a file
of conf-examples/fields; "specs" say, in words of their own and by JSON
pointers, what these are to treat:

    array ROLE POINTER              a vector that keeps its length
    tensor ROLE POINTER ROW         the same in rows of so many numbers
    strings ROLE POINTER ROW        the same, of strings "number:..."
    text ROLE POINTER               a string with numbers in it, one vector
    base64 ROLE POINTER             float32 in base64
    nested ROLE POINTER SPEC ...    a document in a string
    records ROLE POINTER /MEMBER    an array of records, cut
    map ROLE POINTER                an object of numbers, cut
    parallel ROLE POINTER POINTER   a vector and its labels, cut alike
    lone ROLE POINTER               numbers without rank
    place ROLE POINTER              goes, or becomes null

"*" in a pointer is any one step.  What is not there is not treated; in a
stream they hold for each event or line.  "survive" are pointers to what the
manifest says must survive, "extra" to numbers that are treated though the
oracle does not list them.

An entry out of scope is Out(fields, reason, answer): what a guarded location
makes of it, "blocked" or "passed"."""

import collections

Guard = collections.namedtuple("Guard", "fields specs survive extra")
Out = collections.namedtuple("Out", "fields reason answer")


def guard(fields, *specs, survive="", extra=""):
    return Guard(fields, [spec.split(" ") for group in specs
                          for spec in ([group] if isinstance(group, str)
                                       else group)],
                 survive.split(), extra.split())


def place(role, *pointers):
    return ["place %s %s" % (role, pointer) for pointer in pointers]


def both(role, *pointers):
    """Numbers, each of which may also go."""

    return ["%s %s %s" % (kind, role, pointer) for pointer in pointers
            for kind in ("lone", "place")]


# what servers that speak OpenAI's language have in common

CHOICES = ["lone logprobs /choices/*/logprobs/content/*/logprob",
           "lone logprobs "
           "/choices/*/logprobs/content/*/top_logprobs/*/logprob",
           "lone logprobs /choices/*/logprobs/token_logprobs/*",
           "lone logprobs /choices/*/logprobs/top_logprobs/*/*",
           "place logprobs /choices/*/logprobs"]
RESPONSE = [spec % start for start in
            ("/output/*/content/*", "", "/part", "/item/content/*",
             "/response/output/*/content/*") for spec in
            ("lone logprobs %s/logprobs/*/logprob",
             "lone logprobs %s/logprobs/*/top_logprobs/*/logprob",
             "place logprobs %s/logprobs")]
FINGERPRINT = place("metadata", "/system_fingerprint")
USAGE = place("usage", "/usage")
EMBEDDING = ["lone embedding /data/*/embedding/*",
             "place embedding /data/*/embedding"]
BASE64 = ["base64 embedding /data/*/embedding",
          "place embedding /data/*/embedding"]
OPENAI = [CHOICES, RESPONSE, FINGERPRINT,
          place("metadata", "/service_tier", "/response/service_tier"),
          USAGE, place("usage", "/response/usage")]
OPENAI = [spec for group in OPENAI for spec in group]

CHUNK = "/id /object /created /model /choices/*/delta /choices/*/index " \
        "/choices/*/finish_reason"
V2 = "/model_name /id /outputs/*/name /outputs/*/shape /outputs/*/datatype"

SELDON = place("metadata", "/meta/routing", "/meta/metrics", "/meta/tags",
               "/meta/requestPath")
ROBOFLOW = place("metadata", "/inference_id", "/time", "/frame_id")
VERTEX = place("metadata", "/deployedModelId", "/model", "/modelDisplayName",
               "/modelVersionId")
ANTHROPIC = place("metadata", "/usage/service_tier",
                  "/message/usage/service_tier") \
    + place("usage", "/usage", "/message/usage")
OLLAMA = place("metadata", "/context", "/total_duration", "/load_duration",
               "/prompt_eval_duration", "/eval_duration") \
    + place("usage", "/prompt_eval_count", "/eval_count")
GROQ = FINGERPRINT + place("metadata", "/service_tier",
                           *[at + "/usage/" + name for at in ("", "/x_groq")
                             for name in ("queue_time", "prompt_time",
                                          "completion_time", "total_time")]) \
    + place("usage", "/usage", "/x_groq/usage")
GEMINI = both("logprobs", "/candidates/*/avgLogprobs") \
    + place("usage", "/usageMetadata", "/*/usageMetadata")


TABLE = {
    "002": guard("triton", "strings scores /outputs/*/data 2",
                 survive="/id /outputs/*/name /outputs/*/shape "
                         "/outputs/*/datatype"),
    "004": Out("triton", "binary tensors", "blocked"),
    "006": guard("triton", place("metadata", "/model_version"),
                 survive="/id /model_name /text_output"),
    "008": guard("kserve", "text scores /outputs/*/data/*",
                 survive=V2 + " /parameters"),
    "010": guard("kserve", "array scores /predictions/*/scores",
                 survive="/predictions/*/prediction /predictions/*/key"),
    "012": guard("kserve", "array scores /predictions/*"),
    "014": guard("kserve", "lone scores /results/*/relevance_score", USAGE,
                 survive="/results/*/index /results/*/document /model"),
    "016": guard("tfserving", "array scores /predictions/*/probabilities",
                 survive="/predictions/*/classes /predictions/*/key"),
    "018": guard("tfserving", "records scores /result/* /1"),
    "020": guard("tfserving", "array scores /predictions/*"),
    "022": guard("tfserving", survive="/error"),
    "024": guard("torchserve", "map scores "),
    "026": guard("torchserve", "lone embedding /*/*/*/*",
                 "place embedding /*/*"),
    "028": guard("seldon", "array scores /data/ndarray/*", SELDON,
                 survive="/meta/puid /data/names/*"),
    "030": guard("seldon", "tensor scores /data/tensor/values 1", SELDON,
                 survive="/meta/puid /data/tensor/shape/*"),
    "032": guard("mlserver",
                 "nested scores /outputs/*/data/* lone /score",
                 survive=V2 + " /parameters"),
    "034": guard("mlserver", "tensor scores /outputs/0/data 3",
                 survive=V2 + " /model_version"),
    "036": guard("mlflow", "map scores /predictions/*"),
    "038": guard("bentoml", "array scores /*"),
    "040": guard("bentoml", "text scores /*/error"),
    "042": guard("rayserve", survive="/result"),
    "044": guard("sagemaker", "lone scores /score",
                 survive="/predicted_label"),
    "046": guard("sagemaker", "parallel scores /*/prob /*/label"),
    "048": guard("sagemaker-image", "array scores "),
    "050": guard("sagemaker", "lone scores /scores/*/score"),
    "052": guard("vertex", "array scores /predictions/*", VERTEX),
    "054": guard("vertex-embeddings", both("embedding", "/predictions/*/*"),
                 VERTEX),
    "056": guard("azure-customvision", "records scores /predictions "
                 "/probability", place("metadata", "/project", "/iteration",
                                       "/created"),
                 survive="/predictions/*/tagId /predictions/*/tagName"),
    "058": guard("azure-vision",
                 "lone scores /categories/*/score",
                 "lone scores /categories/*/detail/celebrities/*/confidence",
                 "lone scores /categories/*/detail/landmarks/*/confidence",
                 "lone scores /adult/adultScore",
                 "lone scores /adult/racyScore",
                 "lone scores /adult/goreScore",
                 "lone scores /tags/*/confidence",
                 "lone scores /description/captions/*/confidence",
                 "lone scores /objects/*/confidence",
                 "lone scores /objects/*/parent/confidence",
                 place("metadata", "/requestId", "/metadata",
                       "/modelVersion"),
                 survive="/objects/*/rectangle/w "
                         "/categories/*/detail/celebrities/*/faceRectangle"),
    "060": guard("rekognition", "lone scores /Labels/*/Confidence",
                 "lone scores /Labels/*/Instances/*/Confidence",
                 place("metadata", "/LabelModelVersion"),
                 survive="/Labels/*/Instances/*/BoundingBox "
                         "/Labels/*/Instances/*/DominantColors"),
    "062": guard("google-vision",
                 "records scores /responses/*/labelAnnotations /score",
                 survive="/responses/*/labelAnnotations/*/mid"),
    "064": guard("clarifai", "records scores /outputs/*/data/concepts /value",
                 place("metadata", "/outputs/*/model"),
                 survive="/status/code"),
    "066": guard("deepdetect",
                 "lone scores /body/predictions/*/classes/prob",
                 place("metadata", "/head/time"),
                 survive="/body/predictions/*/uri "
                         "/body/predictions/*/classes/cat /status"),
    "068": guard("roboflow", "lone scores /predictions/*/confidence", ROBOFLOW,
                 survive="/predictions/*/class /predictions/*/class_id "
                         "/predictions/*/detection_id /predictions/*/x "
                         "/predictions/*/class_confidence"),
    "070": guard("roboflow", "lone scores /predictions/*/confidence",
                 "lone scores /predictions/*/keypoints/*/confidence",
                 survive="/predictions/*/class /predictions/*/width "
                         "/predictions/*/keypoints/*/class_id"),
    "072": guard("roboflow", "lone scores /predictions/*/confidence", ROBOFLOW,
                 survive="/predictions/*/class_id /predicted_classes/*"),
    "074": guard("onnxruntime", "base64 logits /outputs/*/rawData",
                 place("logits", "/outputs/*/rawData"),
                 survive="/outputs/*/dims /outputs/*/dataType"),
    "076": guard("sklearn", "lone scores /predictions/*/confidence",
                 "map scores /predictions/*/probabilities",
                 place("metadata", "/predictions/*/latency",
                       "/predictions/*/model_name"),
                 survive="/features_used/* /predictions/*/prediction "
                         "/predictions/*/prediction_name"),
    "078": guard("sklearn", "lone scores /confidences/*",
                 place("metadata", "/model_name", "/model_version"),
                 place("usage", "/batch_size"), survive="/predictions/*"),
    "080": guard("huggingface", "records scores /* /score"),
    "082": guard("huggingface", "parallel scores /0/scores /0/labels",
                 survive="/0/sequence"),
    "084": guard("huggingface-detection", "lone scores /*/score",
                 survive="/*/box /*/label"),
    "086": guard("huggingface", "lone scores /score",
                 survive="/start /end /answer"),
    "088": guard("huggingface-similarity", "lone scores /*"),
    "090": guard("huggingface", both("embedding", "/*/*/*")),
    "092": guard("huggingface", survive="/answer /cells/* /coordinates/0/1"),
    "094": guard("huggingface", "records scores  /score"),
    "096": guard("huggingface", "records scores  /score"),
    "098": guard("huggingface", survive="/0 /1 /2"),
    "100": guard("huggingface", survive="/error"),

    "102": guard("tgi", both("logprobs", "/token/logprob"),
                 survive="/index /token/id /token/text /generated_text "
                         "/details"),
    "104": guard("tgi", CHOICES, FINGERPRINT, survive=CHUNK),
    "106": guard("together", CHOICES, USAGE,
                 survive=CHUNK + " /choices/*/seed"),
    "108": guard("fireworks", CHOICES, USAGE, survive=CHUNK),
    "110": guard("novita", CHOICES, FINGERPRINT, USAGE,
                 survive=CHUNK + " /choices/*/content_filter_results"),
    "112": guard("sambanova", EMBEDDING, USAGE,
                 survive="/data/*/index /data/*/object /object"),
    "114": guard("replicate",
                 survive="/detail /status /invalid_fields/0/type"),
    "116": guard("tgi", both("logprobs", "/details/prefill/*/logprob",
                             "/details/tokens/*/logprob"),
                 place("usage", "/details/generated_tokens"),
                 survive="/details/prefill/*/id /details/tokens/*/text "
                         "/details/seed /generated_text"),
    "118": guard("tgi", CHOICES, FINGERPRINT, USAGE,
                 survive="/choices/*/message/tool_calls"),
    "120": guard("tgi", CHOICES, FINGERPRINT, USAGE, survive=CHUNK),
    "122": guard("tei", "lone scores /*/score", survive="/*/index"),
    "124": guard("tei", EMBEDDING, USAGE, survive="/data/*/index /model"),
    "126": guard("openai", OPENAI,
                 survive="/choices/*/message/content /created"),
    "128": guard("openai", OPENAI, survive="/choices/*/message/content"),
    "130": guard("openai", OPENAI, survive="/choices/*/text"),
    "132": guard("openai", "lone scores /results/*/category_scores/*",
                 survive="/results/*/categories /results/*/flagged"),
    "134": guard("openai", OPENAI,
                 survive="/temperature /top_p /instructions "
                         "/output/0/content/0/text"),
    "136": guard("openai", OPENAI,
                 survive="/type /item_id /delta /text /response/temperature "
                         "/response/id"),
    "138": guard("openai", survive="/data/*/id /data/*/created"),
    "140": guard("openai", OPENAI,
                 survive="/type /sequence_number /obfuscation /delta /text "
                         "/response/top_p"),
    "142": guard("openai", BASE64, USAGE, survive="/data/*/index /model"),
    "144": guard("openai", OPENAI, survive=CHUNK + " /obfuscation"),
    "146": guard("openrouter", survive="/error/code /error/message"),
    "148": guard("openai", OPENAI, survive=CHUNK + " /obfuscation"),
    "150": guard("openai", OPENAI, survive="/choices/*/text /created"),
    "152": guard("lmstudio", CHOICES, RESPONSE, FINGERPRINT,
                 place("usage", "/usage", "/response/usage"),
                 survive="/type /sequence_number /response/temperature"),
    "154": guard("openai", OPENAI, survive="/choices/*/text"),
    "156": guard("vllm", CHOICES, FINGERPRINT, USAGE,
                 survive="/choices/*/text /choices/*/stop_reason"),
    "158": guard("mindie", CHOICES, place("metadata", "/usage/batch_size"),
                 USAGE, survive="/choices/*/text /choices/*/index"),
    "160": guard("llamacpp",
                 "records scores /completion_probabilities/*/probs /prob",
                 place("metadata", "/generation_settings", "/model",
                       "/timings"),
                 place("usage", "/tokens_predicted", "/tokens_evaluated"),
                 survive="/content /completion_probabilities/*/content"),
    "162": guard("llamacpp",
                 "lone scores /completion_probabilities/*/prob",
                 "records scores /completion_probabilities/*/top_probs /prob",
                 survive="/completion_probabilities/*/token /index"),
    "164": guard("llamacpp", "lone embedding /*/embedding/*/*",
                 "place embedding /*/embedding", survive="/*/index"),
    "166": guard("llamacpp", survive="/tokens/*/id /tokens/*/piece"),
    "168": guard("ollama", OLLAMA,
                 survive="/model /created_at /response /done"),
    "170": guard("ollama", "lone logprobs /logprobs/*/logprob",
                 "lone logprobs /logprobs/*/top_logprobs/*/logprob",
                 "place logprobs /logprobs", OLLAMA,
                 survive="/response /done_reason"),
    "172": guard("ollama", "lone embedding /embedding/*",
                 "place embedding /embedding"),
    "174": guard("anthropic", ANTHROPIC,
                 survive="/content/*/input /content/0/text"),
    "176": guard("anthropic", ANTHROPIC,
                 survive="/type /index /delta /content_block /message/id"),
    "178": guard("anthropic", survive="/error/type"),
    "180": guard("anthropic", survive="/error/type"),
    "182": guard("anthropic", ANTHROPIC,
                 survive="/type /error /message/id"),
    "184": guard("gemini", GEMINI,
                 survive="/candidates/*/content /modelVersion"),
    "186": guard("gemini", GEMINI, survive="/candidates /promptFeedback"),
    "188": guard("gemini", GEMINI, survive="/candidates /promptFeedback"),
    "190": guard("gemini", GEMINI, survive="/*/candidates"),
    "192": guard("gemini", survive="/error"),
    "194": guard("cohere", USAGE, survive="/finish_reason"),
    "196": guard("cohere", "lone embedding /embeddings/float/*/*",
                 "place embedding /embeddings/float",
                 place("usage", "/meta/billed_units"), survive="/texts/*"),
    "198": guard("cohere", "lone scores /results/*/relevance_score",
                 place("usage", "/meta/billed_units"),
                 survive="/results/*/index"),
    "200": guard("cohere", survive="/message"),
    "202": guard("mistral", CHOICES, USAGE, survive=CHUNK),
    "204": guard("groq", CHOICES, GROQ, survive=CHUNK + " /x_groq/id"),
    "206": Out("deepseek", "an error that is not called JSON", "passed"),
    "208": guard("dashscope", CHOICES, FINGERPRINT, USAGE, survive=CHUNK),
    "210": guard("voyage", BASE64, USAGE, survive="/data/*/index /model"),
    "212": guard("bedrock", "lone embedding /embedding/*",
                 "lone embedding /embeddingsByType/float/*",
                 "place embedding /embedding",
                 "place embedding /embeddingsByType/float",
                 place("usage", "/inputTextTokenCount")),
    "214": Out("bedrock", "binary event stream", "blocked"),
    "216": guard("together", "lone scores /results/*/relevance_score", USAGE,
                 survive="/results/*/index"),
    "218": guard("deepgram",
                 "lone scores /results/channels/*/alternatives/*/confidence",
                 "lone scores "
                 "/results/channels/*/alternatives/*/words/*/confidence",
                 "lone scores /results/channels/*/alternatives/*/words/*"
                 "/speaker_confidence",
                 "lone scores /results/channels/*/language_confidence",
                 place("metadata", "/metadata/models", "/metadata/model_info"),
                 survive="/results/channels/*/alternatives/*/words/*/start "
                         "/results/channels/*/alternatives/*/words/*/end "
                         "/metadata/duration",
                 extra="/results/channels/*/alternatives/*/words/*"
                       "/speaker_confidence "
                       "/results/channels/*/language_confidence"),
    "220": guard("openai", OPENAI,
                 survive="/choices/*/delta /choices/*/index"),
}
