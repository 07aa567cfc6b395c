# Echo server on tcllib's websocket package. It brings no HTTP server: the request is read here, as little as will do, and what
# it says is checked by websocket::validate.
package require websocket

proc env {name default} {
    expr {[info exists ::env($name)] ? $::env($name) : $default}
}

proc echo {sock type message} {
    if {$type in {text binary}} {
        websocket::send $sock $type $message
    }
}

proc accept {sock host port} {
    fconfigure $sock -blocking 0 -translation crlf -encoding iso8859-1
    fileevent $sock readable [list header $sock]
    set ::headers($sock) {}
}

proc header {sock} {
    if {[catch {gets $sock line} length] || ($length < 0 && [eof $sock])} {
        unset ::headers($sock)
        close $sock
    } elseif {[chan pending input $sock] > 65536 || [llength $::headers($sock)] > 400} {
        unset ::headers($sock)
        puts $sock "HTTP/1.1 431 Request Header Fields Too Large\nConnection: close\n"
        close $sock
    } elseif {$length == 0} {
        fileevent $sock readable {}
        upgrade $sock $::headers($sock)
        unset ::headers($sock)
    } elseif {[regexp {^([^:\s]+):\s*(.*)$} $line -> name value]} {
        lappend ::headers($sock) $name $value
    }
}

proc upgrade {sock headers} {
    if {[catch {websocket::validate $headers} request]} {
        puts $sock "HTTP/1.1 400 Bad Request\nConnection: close\n"
        close $sock
        return
    }
    puts $sock "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade"
    puts $sock "Sec-WebSocket-Accept: [websocket::sec-websocket-accept [dict get $request key]]\n"
    flush $sock
    websocket::takeover $sock echo 1
    if {[info exists ::env(PING_INTERVAL)]} {
        websocket::configure $sock -keepalive $::env(PING_INTERVAL)
    }
}

websocket::loglevel critical
if {[info exists env(MAX_MESSAGE_SIZE)]} {
    set websocket::WS(maxlength) $env(MAX_MESSAGE_SIZE)
}
socket -server accept -myaddr [env HOST 127.0.0.1] [env PORT 9001]
vwait forever
