-- Copyright (C) the modelguard authors
--
-- The work that every peer has to do, in Lua: on a document that cjson has
-- parsed, for nginx (LuaJIT) and for HAProxy (Lua 5.3).

local _M = {}

local floor = math.floor


local function round(value)
    return floor(value * 100 + 0.5) / 100
end


local function round_all(values)
    for i = 1, #values do
        values[i] = round(values[i])
    end
end


local function predictions(rows)
    for _, row in ipairs(rows) do
        round_all(row.scores)
        row.logits = nil
    end
end


local function choices(rows)
    for _, row in ipairs(rows) do
        for _, one in ipairs(row.logprobs and row.logprobs.content or {}) do
            one.logprob = round(one.logprob)

            for _, top in ipairs(one.top_logprobs) do
                top.logprob = round(top.logprob)
            end
        end
    end
end


local function embeddings(rows, coded)
    for _, row in ipairs(rows) do
        if type(row.embedding) == "string" then
            row.embedding = coded(row.embedding, round)

        else
            round_all(row.embedding)
        end
    end
end


-- coded(text, round): a vector in base64, rounded

function _M.document(doc, coded)
    if doc.predictions then
        predictions(doc.predictions)
    end

    if doc.choices then
        choices(doc.choices)
    end

    if doc.data then
        embeddings(doc.data, coded)
    end

    doc.model_version = nil

    return doc
end


return _M
