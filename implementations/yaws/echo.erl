%% Echo server on Yaws, embedded. What the environment does not set keeps the library's default.
-module(echo).
-export([start/0, out/1, handle_message/1]).

start() ->
    os:set_signal(sigterm, default),
    {ok, Address} = inet:parse_address(os:getenv("HOST", "127.0.0.1")),
    Port = list_to_integer(os:getenv("PORT", "9001")),
    Server = [
        {servername, "localhost"},
        {listen, Address},
        {port, Port},
        {appmods, [{"/", ?MODULE}]},
        {flags, [{access_log, false}]}
    ],
    Global = [{logdir, os:getenv("TMPDIR", "/tmp")} | setting("HANDSHAKE_TIMEOUT", 1000, keepalive_timeout)],
    Root = filename:dirname(code:which(?MODULE)),
    ok = yaws:start_embedded(Root, Server, Global).

out(_) ->
    {websocket, ?MODULE, options()}.

handle_message({Type, Message}) when Type =:= text; Type =:= binary ->
    {reply, {Type, Message}};
handle_message({close, Status, _}) ->
    {close, Status}.

options() ->
    setting("MAX_FRAME_SIZE", 1, max_frame_size) ++
        setting("MAX_MESSAGE_SIZE", 1, max_message_size) ++
        setting("CLOSE_TIMEOUT", 1000, close_timeout) ++
        keepalive(os:getenv("PING_INTERVAL"), os:getenv("CONNECTION_TIMEOUT")) ++
        origin(os:getenv("ALLOWED_ORIGIN")).

setting(Name, Factor, Option) ->
    case os:getenv(Name) of
        false -> [];
        Value -> [{Option, round(number(Value) * Factor)}]
    end.

origin(false) -> [];
origin(Origin) -> [{origin, Origin}].

keepalive(false, false) ->
    [];
keepalive(Interval, false) ->
    [{keepalive, true}, {keepalive_timeout, round(number(Interval) * 1000)}];
keepalive(false, Timeout) ->
    keepalive(float_to_list(number(Timeout) / 2), Timeout);
keepalive(Interval, Timeout) ->
    %% A pong has the grace period's time to come.
    Grace = round((number(Timeout) - number(Interval)) * 1000),
    [{drop_on_timeout, true}, {grace_period, Grace} | keepalive(Interval, false)].

number(Text) ->
    try list_to_float(Text) catch error:badarg -> list_to_integer(Text) end.
