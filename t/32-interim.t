# Copyright (C) the modelguard authors
#
# Ways round the guard: a response before the response.  nginx before 1.29
# takes an interim response for the final one, and what follows for its body.

use lib 't/lib';
use ModelguardTest;
use ModelguardSecret;

my @tricks;

for my $status ('100 Continue', '102 Processing', '103 Early Hints',
                '199 Odd', '101 Switching Protocols')
{
    push @tricks,
        trick("$status, and the response",
              "HTTP/1.1 $status\r\n\r\n" . reply($Document), 'refused'),
        trick("$status, with a type, and the response",
              "HTTP/1.1 $status\r\nContent-Type: application/json\r\n"
              . "Link: </a>\r\n\r\n" . reply($Document), 'refused'),
        trick("$status, with a body",
              reply($Document, status => $status), 'refused');
}

ways(@tricks);
