# Echo server on Protocol::WebSocket with AnyEvent, as in the distribution's examples. Messages come joined; the answers to
# control frames, and what a text holds, are left to the application.
use strict;
use warnings;

use AnyEvent::Handle;
use AnyEvent::Socket;
use Protocol::WebSocket::Frame;
use Protocol::WebSocket::Handshake::Server;

my %options;
$options{max_payload_size}     = $ENV{MAX_FRAME_SIZE} if $ENV{MAX_FRAME_SIZE};
$options{max_fragments_amount} = $ENV{MAX_FRAGMENTS}  if $ENV{MAX_FRAGMENTS};
my @ANSWERS = (undef, 'text', 'binary', (undef) x 5, 'close', 'pong');

my %clients;

tcp_server $ENV{HOST} // '127.0.0.1', $ENV{PORT} // 9001, sub {
  my ($socket) = @_;
  my $handshake = Protocol::WebSocket::Handshake::Server->new;
  my $frame     = Protocol::WebSocket::Frame->new(%options);
  my $gone      = sub { delete $clients{$_[0]}; $_[0]->destroy };

  my $handle = AnyEvent::Handle->new(fh => $socket, on_eof => $gone, on_error => $gone);
  $clients{$handle} = $handle;
  $handle->on_read(sub {
    my $handle = shift;
    my $chunk = delete $handle->{rbuf};
    if (!$handshake->is_done) {
      return $gone->($handle) unless $handshake->parse($chunk);
      return unless $handshake->is_done;
      $handle->push_write($handshake->to_string);
    }
    $frame->append($chunk);
    eval {
      while (defined(my $bytes = $frame->next_bytes)) {
        my $type = $ANSWERS[$frame->opcode] or next;
        $handle->push_write($frame->new(%options, buffer => $bytes, type => $type)->to_bytes);
        if ($frame->is_close) {
          $handle->on_read(undef);
          return $handle->on_drain(sub { $gone->(shift) });
        }
      }
      1;
    } or $gone->($handle);
  });
};

my $stop = AnyEvent->condvar;
my $term = AnyEvent->signal(signal => 'TERM', cb => sub { $stop->send });
$stop->recv;
