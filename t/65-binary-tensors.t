# Copyright (C) the modelguard authors
#
# Ways round the guard: numbers that are not decimal text.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

use MIME::Base64 qw( encode_base64 );

my @scores = ($Secret, $Second);
my $f32 = pack 'f<2', @scores;
my $f64 = pack 'd<2', @scores;
my $f16 = join '', map { half($_) } @scores;

my $describing = '{"outputs": [{"name": "scores", "datatype": "FP32", '
                 . '"shape": [2], "parameters": {"binary_data_size": 8}}]}';
my $binary = "$describing$f32";
my $size = length $describing;

# a numpy file, a protobuf of packed floats, an Arrow stream's beginning, a
# gRPC frame, msgpack and CBOR

my $numpy = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, "
            . "'shape': (2,), }" . ' ' x 58 . "\n$f32";
my $protobuf = "\x0a\x08$f32";
my $grpc = pack('C N', 0, length $protobuf) . $protobuf;
my $msgpack = "\x81\xa6scores\x92" . join '', map { "\xcb" . pack 'd>', $_ }
                                                 @scores;
my $cbor = "\xa1\x66scores\x82" . join '', map { "\xfb" . pack 'd>', $_ }
                                              @scores;

my @tricks;

# as every type that such bytes come with, and as some that they should not

for my $case (['binary tensors', $binary], ['float32', $f32],
              ['numpy', $numpy], ['protobuf', $protobuf], ['gRPC', $grpc],
              ['msgpack', $msgpack], ['CBOR', $cbor], ['float64', $f64],
              ['float16', $f16])
{
    my ($name, $bytes) = @$case;

    push @tricks, map {
        my $type = $_;
        trick("$name as " . ($type // 'no type'),
              reply($bytes, 'Content-Type' => $type), 'refused|cut',
              half => $name eq 'float16',
              ways => $type && $type =~ /json$/
                      ? [qw( held streamed zipping cached old )]
                      : [qw( held streamed )])
    } undef, 'application/octet-stream', 'application/json',
      'application/vnd.sagemaker.tensor+json',
      $name eq 'float16' ? () : 'text/event-stream',
      'application/x-ndjson', 'application/grpc', 'application/x-protobuf';
}

push @tricks, map {
    trick("binary tensors as $_", reply($binary, 'Content-Type' => $_),
          'refused|cut', ways => [qw( held streamed )]);
} 'application/vnd.google.protobuf', 'application/x-npy', 'application/x-npz',
  'application/msgpack', 'application/cbor', 'application/grpc+proto',
  'application/grpc-web+proto', 'application/grpc+json',
  'application/vnd.apache.arrow.stream', 'application/vnd.apache.parquet',
  'application/x-recordio-protobuf', 'multipart/mixed; boundary=b',
  'multipart/form-data; boundary=b', 'image/png', 'text/plain', 'text/csv',
  'audio/L16; rate=8000', 'binary/octet-stream', 'application/zip';

# the Open Inference Protocol's: the header says where the JSON ends

push @tricks, map {
    my ($name, @reply) = @$_;
    trick("Open Inference: $name", reply(@reply), 'refused|cut');
} (
    ['as the protocol says', $binary,
     'Content-Type' => 'application/octet-stream',
     'Inference-Header-Content-Length' => $size],
    ['called JSON', $binary, 'Inference-Header-Content-Length' => $size],
    ['called JSON, header in lower case', $binary,
     'inference-header-content-length' => $size],
    ['an error', $binary, status => '400 Bad Request',
     'Content-Type' => 'application/octet-stream',
     'Inference-Header-Content-Length' => $size],
    ['an error, called JSON', $binary, status => '500 Odd',
     'Inference-Header-Content-Length' => $size],
    ['called JSON, without the header', $binary],
    ['called JSON, size 0', $binary,
     'Inference-Header-Content-Length' => 0],
    ['called JSON, size too small', $binary,
     'Inference-Header-Content-Length' => 2],
    ['called JSON, size too large', $binary,
     'Inference-Header-Content-Length' => 8374],
    ['called JSON, twice', $binary,
     'Inference-Header-Content-Length' => 0,
     'Inference-Header-Content-Length' => $size],
    ['compressed', gzipped($binary), 'Content-Encoding' => 'gzip',
     'Content-Type' => 'application/octet-stream',
     'Inference-Header-Content-Length' => $size],
    ['compressed, called JSON', gzipped($binary),
     'Content-Encoding' => 'gzip',
     'Inference-Header-Content-Length' => $size],
    ['in chunks', chunked($describing, $f32),
     'Transfer-Encoding' => 'chunked',
     'Content-Type' => 'application/octet-stream',
     'Inference-Header-Content-Length' => $size],
    ['in chunks, called JSON', chunked($describing, $f32),
     'Transfer-Encoding' => 'chunked',
     'Inference-Header-Content-Length' => $size],
    ['a whitespace between', "$describing\n$f32",
     'Inference-Header-Content-Length' => $size + 1],
    ['the tensor first', "$f32$describing"],
);

# a multipart/related of JSON and tensors

push @tricks, trick('multipart/related', reply(
    "--b\r\nContent-Type: application/json\r\n\r\n$describing\r\n--b\r\n"
    . "Content-Type: application/octet-stream\r\n\r\n$f32\r\n--b--\r\n",
    'Content-Type' => 'multipart/related; boundary=b'), 'refused');

# a gRPC answer in trailers, and a switch of protocols

push @tricks,
    trick('gRPC and its trailer', reply($grpc,
              'Content-Type' => 'application/grpc',
              'Grpc-Status' => 0, 'Trailer' => 'Grpc-Message'), 'refused'),
    trick('101 to a stream of frames',
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
          . "Connection: Upgrade\r\n\r\n\x82\x08$f32\x81\x0c$Secret",
          'refused|cut', control => 0,
          headers => ['Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
          ways => ['held', 'streamed']),
    trick('101 that nobody has asked for',
          "HTTP/1.1 101 Switching Protocols\r\n\r\n$Document",
          'refused|cut', control => 0);

# what a client may ask of a server that obliges

sub obliging {
    my ($request) = @_;
    my $accept = $request->{headers}{accept} // '';

    return reply($f32, 'Content-Type' => $accept) if $accept =~ m{/};
    return reply($Document);
}

push @tricks, map { trick("Accept: $_", \&obliging, 'refused|cut',
                          headers => ["Accept: $_"]) }
    'application/octet-stream', 'application/x-npy', 'application/grpc',
    'application/json';

# base64 where the field says so: treated, or refused if it is no float32

my $b64 = encode_base64($f32, '');

push @tricks, map {
    my ($name, $value) = @$_;
    trick("base64, $name", reply(qq({"e": $value, "scores": [0.84]})),
          'refused|cut|treated');
} (
    ['of float32', qq("$b64")],
    ['of float64', '"' . encode_base64($f64, '') . '"'],
    ['in an array', qq(["$b64"])],
    ['of the URL alphabet', '"' . ($b64 =~ tr{+/=}{-_}dr) . '"'],
    ['with escapes', '"' . join('', map { sprintf '\u%04x', ord }
                                        split //, $b64) . '"'],
    ['without padding', '"' . $b64 =~ tr/=//dr . '"'],
    ['as numbers', "[$Secret, $Second]"],
);

# a number in a string where a score is expected

push @tricks, trick('a number in a string',
                    reply(qq({"scores": ["$Secret"]})), 'refused|cut');

ways(@tricks, { fields => 'modelguard_field embedding $.e $.e[*] '
                          . 'encoding=base64f32;' });
