%% Echo server on cowboy. What the environment does not set keeps the library's default.
-module(echo).
-behaviour(cowboy_websocket).
-export([start/0, init/2, websocket_handle/2, websocket_info/2]).

start() ->
    os:set_signal(sigterm, default),
    {ok, _} = application:ensure_all_started(cowboy),
    {ok, Address} = inet:parse_address(os:getenv("HOST", "127.0.0.1")),
    Port = list_to_integer(os:getenv("PORT", "9001")),
    Dispatch = cowboy_router:compile([{'_', [{'_', ?MODULE, websocket_options()}]}]),
    Options = setting(request_timeout, "HANDSHAKE_TIMEOUT", 1000),
    {ok, _} = cowboy:start_clear(echo, [{ip, Address}, {port, Port}], Options#{env => #{dispatch => Dispatch}}).

%% Compression is off unless asked for, in the library; on unless refused, in every echo server of this project.
websocket_options() ->
    Frame = setting(max_frame_size, "MAX_FRAME_SIZE", 1),
    Idle = setting(idle_timeout, "CONNECTION_TIMEOUT", 1000),
    maps:merge(maps:merge(Frame, Idle), #{compress => os:getenv("COMPRESSION") =/= "0"}).

setting(Option, Name, Factor) ->
    case os:getenv(Name) of
        false -> #{};
        Value -> #{Option => round(number(Value) * Factor)}
    end.

number(Text) ->
    try list_to_float(Text) catch error:badarg -> list_to_integer(Text) end.

init(Request, Options) ->
    {cowboy_websocket, Request, undefined, Options}.

websocket_handle({text, Message}, State) -> {[{text, Message}], State};
websocket_handle({binary, Message}, State) -> {[{binary, Message}], State};
websocket_handle(_, State) -> {[], State}.

websocket_info(_, State) -> {[], State}.
