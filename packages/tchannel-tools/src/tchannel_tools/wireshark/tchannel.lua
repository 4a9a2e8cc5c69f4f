-- Wireshark dissector for TChannel, version 2: frames, messages put together from their fragments, calls
-- paired with their answers, and notes on what is wrong. Installed by `tchannel wireshark --install`.

local tchannel = Proto("tchannel", "TChannel")

local TYPES = {
    [0x01] = "init request", [0x02] = "init response",
    [0x03] = "call request", [0x04] = "call response",
    [0x13] = "call request continue", [0x14] = "call response continue",
    [0xC0] = "cancel", [0xC1] = "claim", [0xD0] = "ping request", [0xD1] = "ping response",
    [0xFF] = "error",
}
local CODES = {
    [0x01] = "timeout", [0x02] = "cancelled", [0x03] = "busy", [0x04] = "declined",
    [0x05] = "unexpected", [0x06] = "bad request", [0x07] = "network", [0x08] = "unhealthy",
    [0xFF] = "fatal",
}
local CHECKSUMS = { [0] = "none", [1] = "CRC-32", [2] = "farmhash Fingerprint32", [3] = "CRC-32C" }
local HEADER_SIZE = 16
local NO_MESSAGE = 0xFFFFFFFF

local f = tchannel.fields
f.size = ProtoField.uint16("tchannel.size", "Size")
f.type = ProtoField.uint8("tchannel.type", "Type", base.HEX, TYPES)
f.id = ProtoField.uint32("tchannel.id", "Message id")
f.version = ProtoField.uint16("tchannel.version", "Version")
f.flags = ProtoField.uint8("tchannel.flags", "Flags", base.HEX)
f.more = ProtoField.bool("tchannel.flags.more", "More fragments follow", 8, nil, 0x01)
f.streaming = ProtoField.bool("tchannel.flags.streaming", "Streaming", 8, nil, 0x02)
f.ttl = ProtoField.uint32("tchannel.ttl", "Time to live (ms)")
f.span = ProtoField.uint64("tchannel.tracing.span", "Span id", base.HEX)
f.parent = ProtoField.uint64("tchannel.tracing.parent", "Parent id", base.HEX)
f.trace = ProtoField.uint64("tchannel.tracing.trace", "Trace id", base.HEX)
f.traceflags = ProtoField.uint8("tchannel.tracing.flags", "Trace flags", base.HEX)
f.service = ProtoField.string("tchannel.service", "Service")
f.header = ProtoField.string("tchannel.header", "Header")
f.scheme = ProtoField.string("tchannel.scheme", "Arg scheme")
f.caller = ProtoField.string("tchannel.caller", "Caller")
f.response_code = ProtoField.uint8("tchannel.response.code", "Response code")
f.code = ProtoField.uint8("tchannel.error.code", "Error code", base.HEX, CODES)
f.text = ProtoField.string("tchannel.text", "Text")
f.checksum_type = ProtoField.uint8("tchannel.checksum.type", "Checksum type", base.DEC, CHECKSUMS)
f.checksum = ProtoField.uint32("tchannel.checksum", "Checksum", base.HEX)
f.chunk = ProtoField.bytes("tchannel.chunk", "Chunk")
f.endpoint = ProtoField.string("tchannel.endpoint", "Endpoint")
f.arg2 = ProtoField.bytes("tchannel.arg2", "arg2 (application headers)")
f.arg3 = ProtoField.bytes("tchannel.arg3", "arg3 (body)")
f.arg2_size = ProtoField.uint32("tchannel.arg2.size", "arg2 size")
f.arg3_size = ProtoField.uint32("tchannel.arg3.size", "arg3 size")
f.fragments = ProtoField.uint32("tchannel.fragments", "Frames of the message")
f.request_in = ProtoField.framenum("tchannel.request_in", "Request in", base.NONE, frametype.REQUEST)
f.response_in = ProtoField.framenum("tchannel.response_in", "Answer in", base.NONE, frametype.RESPONSE)
f.latency = ProtoField.relative_time("tchannel.latency", "Latency")

local e = {}
e.size = ProtoExpert.new("tchannel.bad_size", "A frame smaller than its header",
    expert.group.MALFORMED, expert.severity.ERROR)
e.type = ProtoExpert.new("tchannel.unknown_type", "Unknown frame type",
    expert.group.PROTOCOL, expert.severity.ERROR)
e.short = ProtoExpert.new("tchannel.cut_off", "The frame ends inside a field",
    expert.group.MALFORMED, expert.severity.ERROR)
e.trailing = ProtoExpert.new("tchannel.trailing", "Bytes behind the last field",
    expert.group.PROTOCOL, expert.severity.NOTE)
e.version = ProtoExpert.new("tchannel.bad_version", "A version other than 2",
    expert.group.PROTOCOL, expert.severity.WARN)
e.checksum_type = ProtoExpert.new("tchannel.unknown_checksum", "Unknown checksum type",
    expert.group.PROTOCOL, expert.severity.ERROR)
e.chunks = ProtoExpert.new("tchannel.no_chunk", "A call frame without chunks",
    expert.group.PROTOCOL, expert.severity.WARN)
e.args = ProtoExpert.new("tchannel.args", "A message that has not exactly three args",
    expert.group.PROTOCOL, expert.severity.ERROR)
e.unpaired = ProtoExpert.new("tchannel.unpaired", "An answer whose request is not in the capture",
    expert.group.SEQUENCE, expert.severity.NOTE)
e.unanswered = ProtoExpert.new("tchannel.unanswered", "A request without an answer in the capture",
    expert.group.SEQUENCE, expert.severity.NOTE)
e.error = ProtoExpert.new("tchannel.error_frame", "An error frame",
    expert.group.RESPONSE_CODE, expert.severity.WARN)
e.ttl = ProtoExpert.new("tchannel.ttl_zero", "A time to live of 0",
    expert.group.PROTOCOL, expert.severity.WARN)
tchannel.experts = { e.size, e.type, e.short, e.trailing, e.version, e.checksum_type, e.chunks,
    e.args, e.unpaired, e.unanswered, e.error, e.ttl }

-- What is known of the conversations: filled on the first pass over the capture, looked up afterwards.
local open       -- key of an exchange -> call, while it is under way
local call_of    -- packet:offset of a frame -> call
local told_in    -- number of the packet whose last frame was told in the list
local messages   -- packet:offset of a message's last frame -> what its fragments come to

function tchannel.init()
    open, call_of, messages = {}, {}, {}
end

local function address(ip, port)
    return tostring(ip) .. ":" .. tostring(port)
end

-- Reads fields one after the other; `left` says whether there is enough for the next.
local Cursor = {}
Cursor.__index = Cursor

local function cursor(buffer, tree)
    return setmetatable({ buffer = buffer, tree = tree, at = HEADER_SIZE, ended = false }, Cursor)
end

function Cursor:left(size)
    if not self.ended and self.at + size > self.buffer:len() then
        self.ended = true
        self.tree:add_proto_expert_info(e.short)
    end
    return not self.ended
end

function Cursor:take(size)
    local range = self.buffer(self.at, size)
    self.at = self.at + size
    return range
end

function Cursor:number(field, size)
    if not self:left(size) then return nil end
    local range = self:take(size)
    if field then self.tree:add(field, range) end
    return range:uint()
end

-- A text after its length of `size` bytes.
function Cursor:text(size)
    local length = self:number(nil, size)
    if length == nil or not self:left(length) then return nil end
    if length == 0 then return "", self.buffer(self.at - size, size) end
    local range = self:take(length)
    return range:string(ENC_UTF_8), range
end

function Cursor:tracing()
    if not self:left(25) then return end
    local tree = self.tree:add(tchannel, self.buffer(self.at, 25), "Tracing")
    for _, field in ipairs({ f.span, f.parent, f.trace }) do tree:add(field, self:take(8)) end
    tree:add(f.traceflags, self:take(1))
end

function Cursor:headers(count, size)
    local headers = {}
    for _ = 1, count or 0 do
        local key, range = self:text(size)
        if key == nil then break end
        local value, value_range = self:text(size)
        if value == nil then break end
        headers[key] = value
        self.tree:add(f.header, value_range, key .. ": " .. value)
    end
    return headers
end

function Cursor:rest_is_nothing()
    if not self.ended and self.at < self.buffer:len() then
        self.tree:add_proto_expert_info(e.trailing)
    end
end

-- Checksum and chunks, the end of all four kinds of call frames.
function Cursor:chunks()
    local kind = self:number(f.checksum_type, 1)
    if kind == nil then return {} end
    if kind > 3 then
        self.tree:add_proto_expert_info(e.checksum_type)
        return {}
    end
    if kind ~= 0 then self:number(f.checksum, 4) end
    local chunks = {}
    while not self.ended and self.at < self.buffer:len() do
        local length = self:number(nil, 2)
        if length == nil or not self:left(length) then break end
        local bytes = ByteArray.new()
        if length > 0 then
            local range = self:take(length)
            self.tree:add(f.chunk, range)
            bytes = range:bytes()
        end
        chunks[#chunks + 1] = bytes
    end
    if #chunks == 0 and not self.ended then self.tree:add_proto_expert_info(e.chunks) end
    return chunks
end

local function feed(message, chunks, more)
    message.frames = message.frames + 1
    for index, bytes in ipairs(chunks) do
        if index > 1 then message.arg = message.arg + 1 end
        local arg = message.args[message.arg]
        if arg ~= nil then arg:append(bytes) end
    end
    message.whole = not more
end

local function new_message()
    return { args = { ByteArray.new(), ByteArray.new(), ByteArray.new() }, arg = 1, frames = 0 }
end

local function show_message(message, tree)
    if message.frames > 1 then tree:add(f.fragments, message.frames):set_generated() end
    for arg, fields in ipairs({ {}, { f.arg2, f.arg2_size }, { f.arg3, f.arg3_size } }) do
        local bytes = message.args[arg]
        if fields[1] ~= nil then
            tree:add(fields[2], bytes:len()):set_generated()
            if bytes:len() > 0 then
                local tvb = bytes:tvb(arg == 2 and "arg2" or "arg3")
                tree:add(fields[1], tvb())
            end
        end
    end
    if message.arg ~= 3 then tree:add_proto_expert_info(e.args) end
end

local function show_pair(call, tree, pinfo, is_answer)
    if call == nil then
        if is_answer then tree:add_proto_expert_info(e.unpaired) end
        return
    end
    if is_answer then
        tree:add(f.request_in, call.request):set_generated()
        tree:add(f.service, call.service):set_generated()
        tree:add(f.endpoint, call.endpoint):set_generated()
        local latency = pinfo.abs_ts - call.began
        local seconds = math.floor(latency)
        tree:add(f.latency, NSTime.new(seconds, math.floor((latency - seconds) * 1e9))):set_generated()
    elseif call.response then
        tree:add(f.response_in, call.response):set_generated()
    elseif pinfo.visited then
        tree:add_proto_expert_info(e.unanswered)
    end
end

local function frame(buffer, pinfo, root, offset)
    local size = buffer:len()
    local tree = root:add(tchannel, buffer())
    local kind, id = buffer(2, 1):uint(), buffer(4, 4):uint()
    tree:add(f.size, buffer(0, 2))
    tree:add(f.type, buffer(2, 1))
    tree:add(f.id, buffer(4, 4))
    local name = TYPES[kind]
    if name == nil then
        tree:add_proto_expert_info(e.type)
        name = string.format("type 0x%02x", kind)
    end
    local there = address(pinfo.src, pinfo.src_port) .. ">" .. address(pinfo.dst, pinfo.dst_port)
    local back = address(pinfo.dst, pinfo.dst_port) .. ">" .. address(pinfo.src, pinfo.src_port)
    local place = pinfo.number .. ":" .. offset
    local read = cursor(buffer, tree)
    local told = name .. " " .. id
    if kind == 0x01 or kind == 0x02 then
        local version = read:number(f.version, 2)
        if version ~= nil and version ~= 2 then tree:add_proto_expert_info(e.version) end
        local headers = read:headers(read:number(nil, 2), 2)
        told = told .. " " .. (headers.process_name or "") .. " " .. (headers.host_port or "")
        read:rest_is_nothing()
    elseif kind == 0x03 or kind == 0x04 or kind == 0x13 or kind == 0x14 then
        local first, request = kind < 0x10, kind == 0x03 or kind == 0x13
        local key = (request and there or back) .. "#" .. id
        local flags = read:number(f.flags, 1) or 0
        local more = flags % 2 == 1
        tree:add(f.more, buffer(HEADER_SIZE, math.min(1, size - HEADER_SIZE)))
        tree:add(f.streaming, buffer(HEADER_SIZE, math.min(1, size - HEADER_SIZE)))
        local call = call_of[place]
        local headers, service, code = {}, nil, nil
        if first then
            if request then
                if read:number(f.ttl, 4) == 0 then tree:add_proto_expert_info(e.ttl) end
            else
                code = read:number(f.response_code, 1)
            end
            read:tracing()
            if request then
                local text, range = read:text(1)
                service = text
                if range then tree:add(f.service, range, text) end
            end
            headers = read:headers(read:number(nil, 1), 1)
            if headers.as then tree:add(f.scheme, headers.as):set_generated() end
            if headers.cn then tree:add(f.caller, headers.cn):set_generated() end
        end
        local chunks = read:chunks()
        if not pinfo.visited then
            if first and request then
                call = { request = pinfo.number, began = pinfo.abs_ts, service = service or "",
                    endpoint = chunks[1] and chunks[1]:raw() or "", sent = new_message() }
                open[key] = call
            else
                call = open[key]
            end
            call_of[place] = call
            if call ~= nil then
                if not request and call.got == nil then call.got = new_message() end
                local message = request and call.sent or call.got
                feed(message, chunks, more)
                if not more then
                    messages[place] = message
                    if not request then
                        call.response = pinfo.number
                        open[key] = nil
                    end
                end
            end
        end
        if first and request and call ~= nil then
            tree:add(f.endpoint, call.endpoint):set_generated()
        end
        show_pair(call, tree, pinfo, not request)
        if messages[place] ~= nil then show_message(messages[place], tree) end
        if call ~= nil then told = told .. " " .. call.service .. " " .. call.endpoint end
        if code ~= nil and code ~= 0 then told = told .. " (application error)" end
    elseif kind == 0xC0 then
        if size > HEADER_SIZE then
            read:number(f.ttl, 4)
            read:tracing()
            local why, range = read:text(2)
            if range then tree:add(f.text, range, why) end
            told = told .. " " .. (why or "")
        end
        local call = call_of[place] or open[there .. "#" .. id]
        if not pinfo.visited then call_of[place] = call end
        if call then tree:add(f.request_in, call.request):set_generated() end
    elseif kind == 0xC1 then
        read:number(f.ttl, 4)
        read:tracing()
        read:rest_is_nothing()
    elseif kind == 0xFF then
        local code = read:number(f.code, 1)
        read:tracing()
        local text, range = read:text(2)
        if range then tree:add(f.text, range, text) end
        told = told .. " " .. (CODES[code] or tostring(code)) .. ": " .. (text or "")
        tree:add_proto_expert_info(e.error, told)
        local key = back .. "#" .. id
        if not pinfo.visited then
            call_of[place] = open[key]
            if open[key] then
                open[key].response = pinfo.number
                open[key] = nil
            end
        end
        if id ~= NO_MESSAGE then show_pair(call_of[place], tree, pinfo, true) end
    end
    tree:append_text(", " .. told)
    return told
end

local function frame_size(buffer, pinfo, offset)
    local size = buffer(offset, 2):uint()
    -- A frame that cannot be one is shown as it is, with the note.
    return size < HEADER_SIZE and buffer:len() - offset or size
end

local function pdu(buffer, pinfo, root)
    if buffer:len() < HEADER_SIZE or buffer(0, 2):uint() < HEADER_SIZE then
        root:add(tchannel, buffer()):add_proto_expert_info(e.size)
        return buffer:len()
    end
    -- The place of the frame in its packet tells frames of one packet apart, also where one was put
    -- together from several packets.
    local told = frame(buffer, pinfo, root, buffer:offset())
    pinfo.cols.protocol = "TChannel"
    pinfo.cols.info:append((told_in == pinfo.number and " | " or "") .. told)
    told_in = pinfo.number
    return buffer:len()
end

function tchannel.dissector(buffer, pinfo, root)
    pinfo.cols.info:clear()
    told_in = nil
    dissect_tcp_pdus(buffer, root, HEADER_SIZE, frame_size, pdu, true)
    return buffer:len()
end

-- A conversation begins with an init request or response: that is what it is told by.
local function heuristic(buffer, pinfo, root)
    if buffer:len() < 20 then return false end
    local kind = buffer(2, 1):uint()
    if (kind ~= 0x01 and kind ~= 0x02) or buffer(3, 1):uint() ~= 0 then return false end
    if buffer(8, 4):uint() ~= 0 or buffer(12, 4):uint() ~= 0 then return false end
    if buffer(HEADER_SIZE, 2):uint() ~= 2 then return false end
    pinfo.conversation = tchannel
    tchannel.dissector(buffer, pinfo, root)
    return true
end

tchannel:register_heuristic("tcp", heuristic)
-- "Decode as" for conversations whose beginning is not in the capture.
DissectorTable.get("tcp.port"):add_for_decode_as(tchannel)
