-- Copyright (C) the modelguard authors
--
-- A service for HAProxy: fetches from the model server, rewrites, answers.

local cjson = require "cjson"
local work = require "work"

local model = os.getenv("BENCH_MODEL")


core.register_service("guard", "http", function(applet)
    local response = core.httpclient():get{ url = model .. applet.path }
    local body = response.body

    if response.status == 200 then
        body = cjson.encode(work.document(cjson.decode(body)))
    end

    applet:set_status(response.status)
    applet:add_header("Content-Type", "application/json")
    applet:add_header("Content-Length", tostring(#body))
    applet:start_response()
    applet:send(body)
end)
