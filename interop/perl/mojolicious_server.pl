# The server of libmojolicious-perl. Its orders are those of ../doc.go. Each
# argument is a setting for which it listens on a port of its own: "off", or
# anything else for permessage-deflate, of which Mojolicious has no parameters.

BEGIN { $ENV{MOJO_MAX_WEBSOCKET_SIZE} = 17 << 20 }

use Mojolicious::Lite -signatures;
use Mojo::IOLoop;
use Mojo::Server::Daemon;
use Mojo::Util      qw(decode);
use Mojo::WebSocket qw(WS_CLOSE WS_PING WS_PONG);
use Socket          qw(SOL_SOCKET SO_LINGER);

my %off;    # by port
my %orders = (close => \&close_with, ping => \&ping, burst => \&burst, cut => \&cut, reset => \&reset_after);

sub close_with ($c, $code = undef, $reason = undef) {
  $c->finish($code ? ($code, $reason) : ());
}

sub ping ($c, $payload) {
  $c->send([1, 0, 0, 0, WS_PING, $payload]);
}

sub stream ($c) { Mojo::IOLoop->stream($c->tx->connection) }

sub send_many ($c, $count) {
  $c->send("message $_") for 0 .. $count - 1;
}

sub burst ($c, $size) {
  $c->send('x' x ($size << 20));
}

sub cut ($c, $count) {
  send_many($c, $count);
  stream($c)->close_gracefully;
}

# A RST discards what was not sent yet: it waits for a Pong.
sub reset_after ($c, $count) {
  send_many($c, $count);
  ping($c, 'reset');
}

sub pong ($c, $payload) {
  return $c->send("pong $payload") if $payload ne 'reset';
  setsockopt(stream($c)->handle, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) or die "SO_LINGER: $!";
  stream($c)->close;
}

websocket '/' => sub ($c) {
  $c->inactivity_timeout(0);
  $c->tx->with_protocols('v1.wsflow');
  $c->tx->with_compression unless $off{$c->tx->local_port};
  my $got_close;
  $c->on(
    frame => sub ($c, $frame) {
      pong($c, $frame->[5]) if $frame->[4] == WS_PONG;
      $got_close = 1        if $frame->[4] == WS_CLOSE;
    }
  );
  $c->on(
    text => sub ($c, $bytes) {
      my ($word, @rest) = split / /, decode('UTF-8', $bytes) // '', 3;
      my $order = $orders{$word // ''};
      $order ? $order->($c, @rest) : $c->send({text => $bytes});
    }
  );
  $c->on(binary => sub ($c, $bytes) { $c->send({binary => $bytes}) });
  $c->on(finish => sub ($c, $code, $reason) { say "closed $code ", $reason // '' if $got_close });
};

STDOUT->autoflush(1);
binmode STDOUT, ':encoding(UTF-8)';
app->log->level('fatal');
my $daemon = Mojo::Server::Daemon->new(app => app, silent => 1, listen => [('http://127.0.0.1:0') x @ARGV]);
my @ports = @{$daemon->start->ports};
say 'version ', Mojolicious->VERSION;
for my $i (keys @ports) {
  $off{$ports[$i]} = 1 if $ARGV[$i] eq 'off';
  say "listening $ports[$i]";
}
Mojo::IOLoop->start;
