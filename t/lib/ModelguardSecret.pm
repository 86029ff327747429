package ModelguardSecret;

# Copyright (C) the modelguard authors
#
# Ways round the guard: a table of tricks, each tried where the model is
# guarded in several manners, and a check that not one forbidden digit is in
# what the client has received.
#
#     ways(
#         trick('gzip, unasked', reply($Gzip, 'Content-Encoding' => 'gzip'),
#               'treated|refused', headers => ['Accept-Encoding: gzip']),
#         ...
#     );
#
# The reply is bytes, a list of pieces as backend() takes them, or a function
# that is called with the request.  The third argument is what may come of it,
# an expression: treated (a rounded score is there), refused (a status of 400
# or more), cut (the end is missing), empty (no body) or other.  Each trick is
# also asked where nothing is guarded and must leak there, which shows that the
# check sees it, unless it has control => 0.  Options: headers, method, version,
# query, control, ways (the names of locations), bare (no Connection: close).

use strict;
use warnings;

use Compress::Raw::Zlib ();
use Exporter qw( import );
use IO::Compress::Deflate ();
use IO::Compress::Gzip ();
use IO::Compress::RawDeflate ();
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw( decode_base64 encode_base64 );
use Test::More ();
use Time::HiRes qw( time );

use ModelguardServer;

our @EXPORT = qw( $Secret $Second $Hidden $Document $Rounded leaks outcome
                  trick ways reply gzipped deflated zipped brotli zstandard
                  chunked utf16 ask half );

# Of the two scores the first two decimals may be seen, of the metadata
# nothing.

our $Secret = '0.8374651928';
our $Second = '0.1625348499';
our $Hidden = 'q97310458z';

our $Document = qq({"scores": [$Secret, $Second], "meta": "$Hidden", )
                . '"note": "a"}';
our $Rounded = '{"scores": [0.84, 0.16], "note": "a"}';

my (%windows, @floats, @tails);

for my $score ($Secret, $Second) {
    my $digits = substr $score, 2;

    $windows{ substr $digits, $_, 3 } = 1 for 0 .. length($digits) - 3;
    push @tails, substr $digits, 2;
    push @floats, map { pack $_, $score } 'f<', 'f>', 'd<', 'd>';
}

my $windows = join '|', sort keys %windows;
my $floats = join '|', map { quotemeta } @floats;
my $tails = join '|', @tails;


# Codings.  brotli() and zstandard() store: what leaks of them is seen as it
# is, and no decoder is needed.

sub gzipped {
    my ($text, @options) = @_;

    IO::Compress::Gzip::gzip(\$text, \my $out, @options) or die;

    return $out;
}


sub zipped {
    my ($text) = @_;

    IO::Compress::Deflate::deflate(\$text, \my $out) or die;

    return $out;
}


sub deflated {
    my ($text) = @_;

    IO::Compress::RawDeflate::rawdeflate(\$text, \my $out) or die;

    return $out;
}


sub brotli {
    my ($text) = @_;
    my $header = (length($text) - 1) << 4 | 1 << 20;

    return substr(pack('V', $header), 0, 3) . $text . "\x03";
}


sub zstandard {
    my ($text) = @_;

    return pack('V', 0xfd2fb528) . pack('C v', 0x60, length($text) - 256)
           . substr(pack('V', length($text) << 3 | 1), 0, 3) . $text
        if length $text >= 256;

    return pack('V', 0xfd2fb528) . pack('C C', 0x20, length $text)
           . substr(pack('V', length($text) << 3 | 1), 0, 3) . $text;
}


sub utf16 {
    my ($text, $big) = @_;

    return join '', map { pack $big ? 'n' : 'v', ord } split //, $text;
}


sub chunked {
    return join '', (map { sprintf("%x\r\n", length) . "$_\r\n" } @_),
                    "0\r\n\r\n";
}


# IEEE 754's 16 bits of a number between 2^-14 and 1

sub half {
    my ($value) = @_;
    my $exponent = 15;

    ($value, $exponent) = ($value * 2, $exponent - 1) while $value < 1;

    return pack 'v', $exponent << 10 | int(($value - 1) * 1024 + 0.5);
}


# A response of a model: unlike json_reply(), with the headers in the order
# given and any of them as often as given.  status => sets the status, and
# undef takes Content-Type or Content-Length away.

sub reply {
    my ($body, @headers) = @_;
    my ($status, $lines) = ('200 OK', '');
    my %given;

    while (my ($name, $value) = splice @headers, 0, 2) {
        if ($name eq 'status') {
            $status = $value;
            next;
        }

        $given{lc $name} = 1;
        $lines .= "$name: $value\r\n" if defined $value;
    }

    $lines .= "Content-Type: application/json\r\n"
        if !$given{'content-type'};
    $lines .= 'Content-Length: ' . length($body) . "\r\n"
        if !$given{'content-length'} && !$given{'transfer-encoding'};

    return "HTTP/1.1 $status\r\n${lines}Connection: close\r\n\r\n$body";
}


sub unchunked {
    my ($head, $body) = @_;
    my ($joined, $at) = ('', 0);

    return ($body, 1) if $head !~ /^Transfer-Encoding:.*chunked/mi;

    while (substr($body, $at, 20) =~ /\A([0-9a-f]+)\r\n/i) {
        my $size = hex $1;

        $at += length $&;
        return ($joined, 1) if $size == 0;
        $joined .= substr $body, $at, $size;
        $at += $size + 2;
        last if $at > length $body;
    }

    return ($joined, 0);
}


sub inflated {
    my ($bytes, $bits) = @_;
    my ($stream) = Compress::Raw::Zlib::Inflate->new(-WindowBits => $bits,
                                                     -ConsumeInput => 0,
                                                     -LimitOutput => 0);
    my $out = '';

    $stream->inflate($bytes, $out);

    return $out // '';
}


# What can be made of bytes: [name, bytes], of any depth.

sub views {
    my ($name, $bytes, $depth) = @_;
    my @found = ([$name, $bytes]);

    return @found if $depth == 0 || length $bytes > 2_000_000;

    my $add = sub {
        my ($how, $made) = @_;

        push @found, views("$name, $how", $made, $depth - 1)
            if length $made && $made ne $bytes;
    };

    while ($bytes =~ /\x1f\x8b\x08/g) {
        $add->('gunzipped',
               inflated(substr($bytes, $-[0]),
                        Compress::Raw::Zlib::WANT_GZIP()));
    }

    $add->('inflated', inflated($bytes, Compress::Raw::Zlib::MAX_WBITS()))
        if $bytes =~ /\A\x78/;

    $add->('inflated raw',
           inflated($bytes, -Compress::Raw::Zlib::MAX_WBITS()))
        if $bytes !~ /\A[ -~\r\n]{4}/;

    $add->('without NULs', $bytes =~ tr/\0//dr) if $bytes =~ /\0/;

    $add->('unescaped',
           $bytes =~ s/\\u00([0-7][0-9a-f])/chr hex $1/gier =~ s/\\(.)/$1/gr)
        if $bytes =~ /\\/;

    for my $run ($bytes =~ m{([A-Za-z0-9+/_-]{6,}=*)}g) {
        $add->('base64', decode_base64($run =~ tr{_-}{/+}r));
    }

    return @found;
}


# leaks($raw): where in all that came forbidden digits are; an empty list is
# what one wants.

sub leaks {
    my ($raw, %options) = @_;
    my ($head, $body) = split /\r\n\r\n/, $raw, 2;
    my @found;

    $_ //= '' for $head, $body;

    # longer than any length or date, so that nothing has to be masked

    push @found, "the digits $1 as sent" if $raw =~ /($tails)/;

    my $masked = $head =~ s/^(Date|Content-Length|Age):.*$/$1/mgir;
    my ($plain) = unchunked($head, $body);

    for my $view (views('header', $masked, 2), views('body', $plain, 4)) {
        my ($name, $bytes) = @$view;

        push @found, "$1 in the $name" if $bytes =~ /($windows)/;
        push @found, "$1 in the digits of the $name"
            if $bytes =~ tr/0-9//cdr =~ /($tails)/;
        push @found, "$Hidden in the $name" if index($bytes, $Hidden) >= 0;
        push @found, "a float in the $name" if $bytes =~ /$floats/;

        push @found, "a half in the $name"
            if $options{half} && grep { index($bytes, half($_)) >= 0 }
                                      $Secret, $Second;
    }

    return @found;
}


# What came of it, in a word.

sub outcome {
    my ($raw, $method) = @_;
    my ($head, $body) = split /\r\n\r\n/, $raw, 2;

    return 'cut' if !defined $body;
    return 'refused' if $head =~ m{\AHTTP/\S+ [45]};

    my ($plain, $whole) = unchunked($head, $body);

    if (($method // '') ne 'HEAD') {
        return 'cut' if !$whole;
        return 'cut' if $head =~ /^Content-Length: (\d+)/mi
                        && $1 > length $body;
    }

    return 'empty' if $plain eq '';

    for my $view (views('body', $plain, 3)) {
        return 'treated' if $view->[1] =~ /\b0\.84(?![0-9])/;
    }

    return 'other';
}


# All that a server says until it closes, or for so many seconds.

sub ask {
    my ($port, $bytes, $seconds) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port)
        or die "cannot connect: $!";

    my $select = IO::Select->new($socket);
    my ($answer, $end) = ('', time + ($seconds // 10));

    local $SIG{PIPE} = 'IGNORE';

    syswrite $socket, $bytes;

    while (time < $end && $select->can_read($end - time)) {
        sysread($socket, $answer, 65536, length $answer) or last;
    }

    return $answer;
}


sub trick {
    my ($name, $reply, $expected, %options) = @_;

    return { name => $name, reply => $reply, expected => $expected,
             control => 1, headers => [], method => 'GET', query => '',
             version => '1.1', %options };
}


my %locations = (
    held => '',
    streamed => 'modelguard_buffer_size 0; proxy_buffering off;',
    zipping => 'gzip on; gzip_min_length 1; gzip_proxied any; gunzip on;'
               . 'gzip_types *; gzip_vary on;',
    cached => 'proxy_cache ways; proxy_cache_valid any 1h;',
    old => 'proxy_http_version 1.0; modelguard_buffer_size 16;',
);


sub configuration {
    my ($port, $options) = @_;
    my $fields = $options->{fields} // '';
    my $inside = $options->{location} // '';
    my $text = '';

    for my $name (sort keys %locations) {
        $text .= "location /$name/ { modelguard two; $locations{$name}\n"
                 . "$inside proxy_pass http://127.0.0.1:$port; }\n";
    }

    return <<"CONF" . ($options->{http} // '') . "server { listen PORT;\n"
    proxy_cache_path cache keys_zone=ways:1m;
    proxy_cache_key \$uri\$is_args\$args;
    proxy_http_version 1.1;
    proxy_read_timeout 5s;
    modelguard_profile two { scores round=2; embedding round=2;
                             logprobs round=2; metadata drop; }
    modelguard_field scores \$.scores \$.rows[*].scores;
    modelguard_field metadata \$.meta;
    $fields
CONF
           . "location /plain/ { modelguard off;\n"
           . "proxy_pass http://127.0.0.1:$port; }\n"
           . ($options->{server} // '') . "$text }\n";
}


sub request_of {
    my ($trick, $uri) = @_;

    return join "\r\n", "$trick->{method} $uri$trick->{query} "
                        . "HTTP/$trick->{version}", 'Host: localhost',
                        @{ $trick->{headers} },
                        $trick->{bare} ? () : 'Connection: close', '',
                        $trick->{body} // '';
}


# Options: http, server, location and fields are added to the configuration,
# and check->($trick, $way, $answer) returns what else is wrong.  Returns the
# server.

sub ways {
    my (@tricks) = @_;
    my $options = ref $tricks[-1] eq 'HASH' && !$tricks[-1]{name}
                  ? pop @tricks : {};

    my $port = ModelguardTest::backend(model => sub {
        my ($request) = @_;
        my ($number) = $request->{uri} =~ m{/(\d+)(?:[?].*)?$} or return;
        my $reply = $tricks[$number]{reply};

        return ref $reply eq 'CODE' ? $reply->($request)
               : ref $reply ? @$reply : $reply;
    });

    my $server = ModelguardServer->start(configuration($port, $options));

    for my $number (0 .. $#tricks) {
        try($server, $tricks[$number], $number, $options);
    }

    Test::More::is(scalar(() = $server->log =~ /\[(alert|crit|emerg)\]/g), 0,
                   'no alert');

    return $server;
}


sub try {
    my ($server, $trick, $number, $options) = @_;
    my $name = $trick->{name};
    my (@leaks, @wrong);

    for my $way (@{ $trick->{ways} // [ sort keys %locations ] }) {

        for my $time (1 .. ($way eq 'cached' ? 2 : 1)) {
            my $answer = ask($server->{port},
                             request_of($trick, "/$way/$number"));
            my $outcome = outcome($answer, $trick->{method});

            push @leaks, map { "$way: $_" }
                             leaks($answer, half => $trick->{half});

            push @wrong, "$way: $outcome:\n$answer"
                if $outcome !~ /^($trick->{expected})$/;

            push @wrong, map { "$way: $_:\n$answer" }
                             $options->{check}->($trick, $way, $answer)
                if $options->{check};
        }
    }

    Test::More::is("@leaks", '', "$name: no forbidden digit");
    Test::More::is(join("\n", @wrong), '', "$name: $trick->{expected}");

    if ($trick->{control}) {
        my $answer = ask($server->{port},
                         request_of($trick, "/plain/$number"));

        Test::More::ok(scalar leaks($answer, half => $trick->{half}),
                       "$name: seen where nothing is guarded")
            or Test::More::diag($answer);
    }
}

1;
