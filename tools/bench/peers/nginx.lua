-- Copyright (C) the modelguard authors
--
-- A body filter and a budget for nginx's Lua module.

local cjson = require "cjson"
local ffi = require "ffi"
local work = require "work"

local _M = {}

local LIMIT = 1000000000000
local WINDOW = 3600


local function coded(text, round)
    local bytes = ngx.decode_base64(text)
    local count = #bytes / 4
    local values = ffi.new("float[?]", count)

    ffi.copy(values, bytes, #bytes)

    for i = 0, count - 1 do
        values[i] = round(values[i])
    end

    return ngx.encode_base64(ffi.string(values, #bytes))
end


local function rewritten(text)
    return cjson.encode(work.document(cjson.decode(text), coded))
end


-- whole events; the rest waits

local function events(ctx, chunk)
    local text = ctx.rest .. chunk
    local out = {}
    local from = 1

    while true do
        local to = text:find("\n\n", from, true)

        if not to then
            break
        end

        out[#out + 1] = "data: "
        out[#out + 1] = rewritten(text:sub(from + 6, to - 1))
        out[#out + 1] = "\n\n"
        from = to + 2
    end

    ctx.rest = text:sub(from)

    return table.concat(out)
end


function _M.budget()
    local spent = ngx.shared.budgets:incr(ngx.var.http_x_api_key, 1, 0,
                                          WINDOW)

    if spent and spent > LIMIT then
        return ngx.exit(429)
    end
end


function _M.header()
    ngx.header.content_length = nil
    ngx.ctx.stream = ngx.header.content_type == "text/event-stream"
    ngx.ctx.rest = ""
end


function _M.body()
    local ctx = ngx.ctx
    local chunk, last = ngx.arg[1], ngx.arg[2]

    if ctx.stream then
        ngx.arg[1] = events(ctx, chunk)
        return
    end

    ctx.chunks = ctx.chunks or {}

    if chunk ~= "" then
        ctx.chunks[#ctx.chunks + 1] = chunk
        ngx.arg[1] = nil
    end

    if last then
        ngx.arg[1] = rewritten(table.concat(ctx.chunks))
    end
end


return _M
