# Echo server on Mojolicious::Lite. What the environment does not set keeps the library's default.
use Mojolicious::Lite -signatures;
use Mojo::Server::Daemon;

app->log->level('fatal');
app->mode('production');

websocket '/*any' => {any => ''} => sub ($c) {
  if (my $origin = $ENV{ALLOWED_ORIGIN}) {
    return $c->rendered(403) if ($c->req->headers->origin // '') ne $origin;
  }
  my $tx = $c->tx;
  $tx->with_compression unless ($ENV{COMPRESSION} // '1') eq '0';
  $tx->max_websocket_size($ENV{MAX_MESSAGE_SIZE}) if $ENV{MAX_MESSAGE_SIZE};
  $c->on(text   => sub ($c, $bytes) { $c->send({text   => $bytes}) });
  $c->on(binary => sub ($c, $bytes) { $c->send({binary => $bytes}) });
};

my ($host, $port) = ($ENV{HOST} // '127.0.0.1', $ENV{PORT} // 9001);
my $daemon = Mojo::Server::Daemon->new(app => app, listen => ["http://$host:$port"], silent => 1);
# It counts from the last octet, in the opening handshake as afterwards.
my ($timeout) = grep {$_} @ENV{qw(CONNECTION_TIMEOUT HANDSHAKE_TIMEOUT)};
$daemon->inactivity_timeout($timeout) if $timeout;
$daemon->max_clients($ENV{MAX_CONNECTIONS}) if $ENV{MAX_CONNECTIONS};
$daemon->run;
