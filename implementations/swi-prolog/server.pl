% Echo server on SWI-Prolog's http/websocket library, as in its documentation. It has no limits to set.
:- use_module(library(http/websocket)).
:- use_module(library(http/thread_httpd)).
:- use_module(library(http/http_dispatch)).

:- http_handler(root(.), http_upgrade_to_websocket(echo, []), [prefix, spawn([])]).

echo(WebSocket) :-
    ws_receive(WebSocket, Message),
    (   Message.opcode == close
    ->  true
    ;   reply(WebSocket, Message),
        echo(WebSocket)
    ).

reply(WebSocket, Message) :-
    memberchk(Message.opcode, [text, binary]),
    !,
    ws_send(WebSocket, Message).
reply(_, _).

env(Name, Default, Value) :- getenv(Name, Value) -> true ; Value = Default.

:- initialization(main, main).

main :-
    on_signal(term, _, stop),
    env('HOST', '127.0.0.1', Host),
    env('PORT', '9001', PortText),
    atom_number(PortText, Port),
    http_server(http_dispatch, [port(Host:Port), silent(true)]),
    thread_get_message(stop).

stop(_) :- halt.
