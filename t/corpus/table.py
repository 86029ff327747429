# Copyright (C) the modelguard authors

"""All files of the corpus, by number.

An entry in scope is Guard(fields, specs): "fields" are lines of nginx.conf,
mostly the include of a server; "specs" say, in words of their own and by
JSON pointers, what these are to treat:

    array ROLE POINTER              a vector that keeps its length
    tensor ROLE POINTER ROW         the same in rows of so many numbers
    records ROLE POINTER /MEMBER    an array of records, cut
    map ROLE POINTER                an object of numbers, cut
    parallel ROLE POINTER POINTER   a vector and its labels, cut alike
    lone ROLE POINTER               numbers without rank
    place ROLE POINTER              goes, or becomes null

"*" in a pointer is any one step.  "survive" are pointers to what the
manifest says must survive.

An entry out of scope is Out(reason, answer): what a guarded location makes of
it, "blocked" or "passed", with the fields that it is given."""

import collections

Guard = collections.namedtuple("Guard", "fields specs survive")
Out = collections.namedtuple("Out", "reason answer fields")

SHIPPED = ("tfserving", "kserve", "torchserve", "huggingface", "openai",
           "sklearn")


def guard(fields, *specs, survive=""):
    lines = []

    for field in fields.split(";"):
        field = field.strip()

        if field in SHIPPED:
            lines.append("include fields/%s.conf;" % field)
        elif field.startswith("types "):
            lines.append("modelguard_types %s;" % field[6:])
        elif field:
            lines.append("modelguard_field %s;" % field)

    return Guard(lines, [spec.split(" ") for spec in specs], survive.split())


def out(reason, answer="blocked", fields="openai"):
    return Out(reason, answer, guard(fields).fields)


SSE = out("text/event-stream")
NDJSON = out("newline-delimited JSON")
NUMBER_IN_STRING = "numbers inside a string"
BASE64 = "numbers in base64"

SELDON = "scores $.data.ndarray;" \
         "scores $.data.tensor.values shape=$.data.tensor.shape;" \
         "metadata $.meta.routing $.meta.requestPath $.meta.metrics"
ROBOFLOW = "scores $.predictions[*].confidence " \
           "$.predictions[*].keypoints[*].confidence " \
           "$.predictions.*.confidence;" \
           "metadata $.inference_id $.time $.frame_id"
ROBOFLOW_META = ("place metadata /inference_id", "place metadata /time",
                 "place metadata /frame_id")
VERTEX_META = "metadata $.deployedModelId $.model $.modelDisplayName"
LOGPROB = "place logprobs %s"


TABLE = {
    "002": out(NUMBER_IN_STRING, "blocked", "kserve"),
    "004": out("binary tensors", fields="kserve"),
    "006": SSE,
    "008": out(NUMBER_IN_STRING, "blocked", "kserve"),

    "010": guard("kserve", "array scores /predictions/*/scores",
                 survive="/predictions/*/prediction /predictions/*/key"),
    "012": guard("kserve", "array scores /predictions/*"),
    "014": guard("kserve", "lone scores /results/*/relevance_score",
                 "place usage /usage",
                 survive="/results/*/index /results/*/document /model"),
    "016": guard("tfserving", "array scores /predictions/*/probabilities",
                 survive="/predictions/*/classes /predictions/*/key"),
    "018": guard("tfserving", "records scores /result/* /1"),
    "020": guard("tfserving", "array scores /predictions/*"),
    "022": guard("tfserving", survive="/error"),
    "024": guard("torchserve", "map scores "),
    "026": guard("torchserve", "lone embedding /*/*/*/*",
                 "place embedding /*/*"),
    "028": guard(SELDON, "array scores /data/ndarray/*",
                 "place metadata /meta/routing", "place metadata /meta/metrics",
                 "place metadata /meta/requestPath",
                 survive="/meta/puid /data/names/*"),
    "030": guard(SELDON, "tensor scores /data/tensor/values 1",
                 "place metadata /meta/routing", "place metadata /meta/metrics",
                 "place metadata /meta/requestPath",
                 survive="/meta/puid /data/tensor/shape/*"),

    "032": out(NUMBER_IN_STRING, "blocked", "kserve"),

    "034": guard("kserve", "tensor scores /outputs/0/data 3",
                 survive="/model_name /model_version /id /outputs/*/name "
                         "/outputs/*/shape/* /outputs/*/datatype"),
    "036": guard("sklearn", "map scores /predictions/*"),
    "038": guard("scores $[*]", "array scores /*"),

    "040": out(NUMBER_IN_STRING, "passed"),

    "042": guard("sklearn", survive="/result"),

    "044": NDJSON,

    "046": guard("scores $[*].prob label=$[*].label[*]",
                 "parallel scores /*/prob /*/label"),
    "048": guard("scores $", "array scores "),
    "050": guard("scores $.scores[*].score", "lone scores /scores/*/score"),
    "052": guard("kserve;" + VERTEX_META, "array scores /predictions/*",
                 "place metadata /deployedModelId", "place metadata /model",
                 "place metadata /modelDisplayName"),
    "054": guard("embedding $.predictions[*];" + VERTEX_META,
                 "lone embedding /predictions/*/*",
                 "place embedding /predictions/*",
                 "place metadata /deployedModelId", "place metadata /model"),
    "056": guard("scores $.predictions[*].probability "
                 "label=$.predictions[*].tagName;"
                 "metadata $.project $.iteration $.created",
                 "records scores /predictions /probability",
                 "place metadata /project", "place metadata /iteration",
                 "place metadata /created",
                 survive="/predictions/*/tagId /predictions/*/tagName"),
    "058": guard("scores $.**.~^(confidence|score|(adult|racy|gore)Score)$;"
                 "metadata $.requestId $.metadata $.modelVersion",
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
                 "place metadata /requestId", "place metadata /metadata",
                 "place metadata /modelVersion",
                 survive="/objects/*/rectangle/w "
                         "/categories/*/detail/celebrities/*/faceRectangle"),
    "060": guard("types application/x-amz-json-1.1;"
                 "scores $.Labels[*].Confidence "
                 "$.Labels[*].Instances[*].Confidence;"
                 "metadata $.LabelModelVersion",
                 "lone scores /Labels/*/Confidence",
                 "lone scores /Labels/*/Instances/*/Confidence",
                 "place metadata /LabelModelVersion",
                 survive="/Labels/*/Instances/*/BoundingBox "
                         "/Labels/*/Instances/*/DominantColors"),
    "062": guard("scores $.responses[*].labelAnnotations[*].score "
                 "label=$.responses[*].labelAnnotations[*].description",
                 "records scores /responses/*/labelAnnotations /score",
                 survive="/responses/*/labelAnnotations/*/mid"),
    "064": guard("scores $.outputs[*].data.concepts[*].value "
                 "label=$.outputs[*].data.concepts[*].name;"
                 "metadata $.outputs[*].model",
                 "records scores /outputs/*/data/concepts /value",
                 "place metadata /outputs/*/model",
                 survive="/status/code"),
    "066": guard("scores $.body.predictions[*].classes.prob",
                 "lone scores /body/predictions/*/classes/prob",
                 survive="/body/predictions/*/uri "
                         "/body/predictions/*/classes/cat /head/time"),
    "068": guard(ROBOFLOW, "lone scores /predictions/*/confidence",
                 *ROBOFLOW_META,
                 survive="/predictions/*/class /predictions/*/class_id "
                         "/predictions/*/detection_id /predictions/*/x "
                         "/predictions/*/class_confidence"),
    "070": guard(ROBOFLOW, "lone scores /predictions/*/confidence",
                 "lone scores /predictions/*/keypoints/*/confidence",
                 survive="/predictions/*/class /predictions/*/width "
                         "/predictions/*/keypoints/*/class_id"),
    "072": guard(ROBOFLOW, "lone scores /predictions/*/confidence",
                 *ROBOFLOW_META,
                 survive="/predictions/*/class_id /predicted_classes/*"),

    "074": out(BASE64, "passed"),

    "076": guard("sklearn", "lone scores /predictions/*/confidence",
                 "map scores /predictions/*/probabilities",
                 "place metadata /predictions/*/latency",
                 "place metadata /predictions/*/model_name",
                 survive="/features_used/* /predictions/*/prediction "
                         "/predictions/*/prediction_name"),
    "078": guard("sklearn", "lone scores /confidences/*",
                 "place metadata /model_name",
                 "place metadata /model_version", "place usage /batch_size",
                 survive="/predictions/*"),
    "080": guard("huggingface", "records scores /* /score"),
    "082": guard("huggingface", "parallel scores /0/scores /0/labels",
                 survive="/0/sequence"),
    "084": guard("scores $[*].score", "lone scores /*/score",
                 survive="/*/box /*/label"),
    "086": guard("huggingface", "lone scores /score",
                 survive="/start /end /answer"),
    "088": guard("scores $[*]", "lone scores /*"),
    "090": guard("huggingface", "lone embedding /*/*/*",
                 "place embedding /*/*/*"),
    "092": guard("huggingface", survive="/answer /cells/* /coordinates/0/1"),
    "094": guard("huggingface", "records scores  /score"),
    "096": guard("huggingface", "records scores  /score"),
    "098": guard("huggingface", survive="/0 /1 /2"),
    "100": guard("huggingface", survive="/error"),

    "102": SSE,
    "104": SSE,
    "106": SSE,
    "108": SSE,
    "110": SSE,

    "112": guard("openai", "lone embedding /data/*/embedding/*",
                 "place embedding /data/*/embedding", "place usage /usage",
                 survive="/data/*/index /data/*/object /object"),
    "114": guard("openai", survive="/detail /status /invalid_fields/0/type"),
    "116": guard("huggingface", "lone logprobs /details/prefill/*/logprob",
                 "lone logprobs /details/tokens/*/logprob",
                 "place logprobs /details/prefill/*/logprob",
                 "place logprobs /details/tokens/*/logprob",
                 survive="/details/prefill/*/id /details/tokens/*/text "
                         "/details/seed /generated_text"),
    "118": guard("openai", "place logprobs /choices/*/logprobs",
                 "place metadata /system_fingerprint", "place usage /usage",
                 survive="/choices/*/message/tool_calls"),

    "120": SSE,

    "122": guard("scores $[*].score", "lone scores /*/score",
                 survive="/*/index"),
    "124": guard("openai", "lone embedding /data/*/embedding/*",
                 "place embedding /data/*/embedding", "place usage /usage",
                 survive="/data/*/index /model"),
    "126": guard("openai", "place logprobs /choices/*/logprobs",
                 "place metadata /service_tier", "place usage /usage",
                 survive="/choices/*/message/content /created"),
    "128": guard("openai",
                 "lone logprobs /choices/*/logprobs/content/*/logprob",
                 "lone logprobs "
                 "/choices/*/logprobs/content/*/top_logprobs/*/logprob",
                 "place logprobs /choices/*/logprobs",
                 "place metadata /system_fingerprint", "place usage /usage",
                 survive="/choices/*/message/content"),
    "130": guard("openai", "place logprobs /choices/*/logprobs",
                 "place metadata /system_fingerprint", "place usage /usage",
                 survive="/choices/*/text"),
    "132": guard("openai", "lone scores /results/*/category_scores/*",
                 survive="/results/*/categories /results/*/flagged"),
    "134": guard("openai", "place usage /usage",
                 survive="/temperature /top_p /instructions "
                         "/output/0/content/0/text"),

    "136": SSE,

    "138": guard("openai", survive="/data/*/id /data/*/created"),

    "140": SSE,
    "142": out(BASE64),
    "144": SSE,

    "146": guard("openai", survive="/error/code /error/message"),

    "148": SSE,
    "150": SSE,
    "152": SSE,

    "154": guard("openai", "lone logprobs /choices/*/logprobs/token_logprobs/*",
                 "lone logprobs /choices/*/logprobs/top_logprobs/*/*",
                 "place logprobs /choices/*/logprobs", "place usage /usage",
                 survive="/choices/*/text"),

    "156": SSE,
    "158": SSE,

    "160": guard("scores $.completion_probabilities[*].probs[*].prob "
                 "label=$.completion_probabilities[*].probs[*].tok_str;"
                 "metadata $.generation_settings $.model $.timings;"
                 "usage $.tokens_predicted $.tokens_evaluated",
                 "records scores /completion_probabilities/*/probs /prob",
                 "place metadata /generation_settings",
                 "place metadata /model", "place metadata /timings",
                 "place usage /tokens_predicted",
                 "place usage /tokens_evaluated",
                 survive="/content /completion_probabilities/*/content"),
    "162": guard("scores $.completion_probabilities[*].prob;"
                 "scores $.completion_probabilities[*].top_probs[*].prob "
                 "label=$.completion_probabilities[*].top_probs[*].token",
                 "lone scores /completion_probabilities/*/prob",
                 "records scores /completion_probabilities/*/top_probs /prob",
                 survive="/completion_probabilities/*/token /index"),
    "164": guard("embedding $[*].embedding", "lone embedding /*/embedding/*/*",
                 "place embedding /*/embedding", survive="/*/index"),
    "166": guard("openai", survive="/tokens/*/id /tokens/*/piece"),

    "168": NDJSON,

    "170": guard("logprobs $.logprobs $.logprobs[*].logprob "
                 "$.logprobs[*].top_logprobs[*].logprob;"
                 "metadata $.context",
                 "lone logprobs /logprobs/*/logprob",
                 "lone logprobs /logprobs/*/top_logprobs/*/logprob",
                 "place logprobs /logprobs", "place metadata /context",
                 survive="/response /total_duration /eval_count"),
    "172": guard("embedding $.embedding", "lone embedding /embedding/*",
                 "place embedding /embedding"),
    "174": guard("openai", "place usage /usage",
                 survive="/content/*/input /content/0/text"),

    "176": SSE,

    "178": guard("openai", survive="/error/type"),
    "180": guard("openai", survive="/error/type"),

    "182": SSE,

    "184": guard("logprobs $.candidates[*].avgLogprobs;usage $.usageMetadata",
                 "lone logprobs /candidates/*/avgLogprobs",
                 "place logprobs /candidates/*/avgLogprobs",
                 "place usage /usageMetadata",
                 survive="/candidates/*/content /modelVersion"),
    "186": guard("scores $.**.probability",
                 survive="/candidates /promptFeedback"),

    "188": SSE,

    "190": guard("logprobs $[*].candidates[*].avgLogprobs",
                 survive="/*/candidates /*/usageMetadata"),
    "192": guard("openai", survive="/error"),
    "194": guard("openai", "place usage /usage", survive="/finish_reason"),
    "196": guard("embedding $.embeddings.float;usage $.meta.billed_units",
                 "lone embedding /embeddings/float/*/*",
                 "place embedding /embeddings/float",
                 "place usage /meta/billed_units", survive="/texts/*"),
    "198": guard("openai", "lone scores /results/*/relevance_score",
                 survive="/results/*/index"),
    "200": guard("openai", survive="/message"),

    "202": SSE,
    "204": SSE,
    "206": out("an error that is not called JSON", "passed"),
    "208": SSE,
    "210": out(BASE64),

    "212": guard("embedding $.embedding $.embeddingsByType.float;"
                 "usage $.inputTextTokenCount",
                 "lone embedding /embedding/*",
                 "lone embedding /embeddingsByType/float/*",
                 "place embedding /embedding",
                 "place embedding /embeddingsByType/float",
                 "place usage /inputTextTokenCount"),

    "214": out("binary event stream"),

    "216": guard("openai", "lone scores /results/*/relevance_score",
                 "place usage /usage", survive="/results/*/index"),
    "218": guard("scores $.results.channels[*].alternatives[*].confidence "
                 "$.results.channels[*].alternatives[*].words[*].confidence",
                 "lone scores /results/channels/*/alternatives/*/confidence",
                 "lone scores "
                 "/results/channels/*/alternatives/*/words/*/confidence",
                 survive="/results/channels/*/alternatives/*/words/*/start "
                         "/results/channels/*/alternatives/*/words/*/end "
                         "/metadata/duration"),

    "220": SSE,
}
