
/*
 * Copyright (C) the modelguard authors
 *
 * A load generator that sends an exact number of requests, which wrk cannot:
 *
 *     load [-t SECONDS] [-b FILE] [-H FIELD] [-v] PORT URI CONNECTIONS REQUESTS
 *
 * Keep-alive on 127.0.0.1, one request at a time on each connection: GET, or
 * POST of a file of JSON; -t sends nothing more after that time, -H adds a
 * line to the header.  Prints the number of responses, the length of their
 * bodies, the seconds that all took, and the median and the 99th percentile
 * of the microseconds of one.  Fails when one is not 200, does not come, or
 * has another length (unless -v: lengths may vary).
 */


#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define LOAD_CONNECTIONS  256
#define LOAD_HEADER       4096
#define LOAD_BUFFER       (256 * 1024)
#define LOAD_REQUEST      (64 * 1024)
#define LOAD_TIMEOUT      20000             /* milliseconds of silence */


typedef enum {
    LOAD_IDLE = 0,
    LOAD_HEADERS,
    LOAD_BODY,                              /* of a known length */
    LOAD_CHUNK_SIZE,
    LOAD_CHUNK,
    LOAD_CHUNK_END,
    LOAD_TRAILER                            /* the line after the last chunk */
} load_state_e;


typedef struct {
    int           fd;
    load_state_e  state;
    size_t        rest;                     /* of the body or chunk */
    size_t        body;                     /* bytes so far */
    size_t        line;                     /* bytes in header[] */
    double        sent;                     /* seconds */
    char          header[LOAD_HEADER + 1];
} load_conn_t;


typedef struct {
    int           epoll;
    int           varying;                  /* lengths may differ */
    char          request[LOAD_REQUEST];
    size_t        request_len;
    double        started;                  /* seconds */
    double        limit;                    /* of them; 0: none */
    double       *times;                    /* of each response */
    unsigned long unsent;                   /* requests */
    unsigned long waiting;
    unsigned long done;
    size_t        length;                   /* of every body */
    load_conn_t   conns[LOAD_CONNECTIONS];
} load_t;


static load_t  load;
static char    load_buffer[LOAD_BUFFER];


static void
load_fail(const char *fmt, ...)
{
    va_list  args;

    fputs("load: ", stderr);

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fputs("\n", stderr);
    exit(1);
}


static double
load_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void
load_connect(load_conn_t *c, int port)
{
    int                 on;
    struct sockaddr_in  addr;
    struct epoll_event  event;

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons((in_port_t) port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd == -1
        || connect(c->fd, (struct sockaddr *) &addr, sizeof(addr)) == -1
        || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1
        || fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1)
    {
        load_fail("no connection to port %d: %s", port, strerror(errno));
    }

    event.events = EPOLLIN;
    event.data.ptr = c;

    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event) == -1) {
        load_fail("epoll_ctl() failed: %s", strerror(errno));
    }
}


static void
load_send(load_conn_t *c)
{
    ssize_t  n;

    c->sent = load_now();

    if (load.limit != 0 && c->sent - load.started > load.limit) {
        load.unsent = 0;
    }

    if (load.unsent == 0) {
        c->state = LOAD_IDLE;
        return;
    }

    load.unsent--;
    load.waiting++;

    c->state = LOAD_HEADERS;
    c->body = 0;
    c->line = 0;

    n = send(c->fd, load.request, load.request_len, MSG_NOSIGNAL);

    if (n != (ssize_t) load.request_len) {
        load_fail("a request was not sent");
    }
}


static void
load_done(load_conn_t *c)
{
    if (load.done != 0 && c->body != load.length && !load.varying) {
        load_fail("a body of %zu bytes among those of %zu", c->body,
                  load.length);
    }

    load.length = c->body;
    load.waiting--;
    load.times[load.done++] = load_now() - c->sent;

    load_send(c);
}


static void
load_headers(load_conn_t *c)
{
    char  *line;

    if (strncmp(c->header, "HTTP/1.1 200 ", 13) != 0) {
        load_fail("not 200: %.60s", c->header);
    }

    for (line = strchr(c->header, '\n'); line; line = strchr(line, '\n')) {
        line++;

        if (strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0) {
            c->state = LOAD_CHUNK_SIZE;
            c->line = 0;
            return;
        }

        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            c->rest = strtoul(line + 15, NULL, 10);
            c->state = LOAD_BODY;

            if (c->rest == 0) {
                load_done(c);
            }

            return;
        }
    }

    load_fail("neither a length nor chunks");
}


/* Collects a line, or lines up to an empty one, in c->header. */

static const char *
load_line(load_conn_t *c, const char *p, const char *end, const char *stop)
{
    size_t  len;

    len = strlen(stop);

    while (p < end) {

        if (c->line == LOAD_HEADER) {
            load_fail("too long a line or header");
        }

        c->header[c->line++] = *p++;

        if (c->line >= len
            && memcmp(c->header + c->line - len, stop, len) == 0)
        {
            c->header[c->line] = '\0';
            return p;
        }
    }

    return NULL;
}


static void
load_chunk_line(load_conn_t *c)
{
    c->line = 0;

    switch (c->state) {

    case LOAD_CHUNK_SIZE:
        c->rest = strtoul(c->header, NULL, 16);
        c->state = c->rest ? LOAD_CHUNK : LOAD_TRAILER;
        break;

    case LOAD_CHUNK_END:
        c->state = LOAD_CHUNK_SIZE;
        break;

    default: /* LOAD_TRAILER */
        load_done(c);
    }
}


static void
load_take(load_conn_t *c, const char *p, const char *end)
{
    size_t  n;

    while (p && p < end) {

        switch (c->state) {

        case LOAD_IDLE:
            load_fail("more than one response");
            break;

        case LOAD_HEADERS:
            p = load_line(c, p, end, "\r\n\r\n");

            if (p) {
                load_headers(c);
            }

            break;

        case LOAD_BODY:
        case LOAD_CHUNK:
            n = (size_t) (end - p) < c->rest ? (size_t) (end - p) : c->rest;
            p += n;
            c->rest -= n;
            c->body += n;

            if (c->rest == 0) {

                if (c->state == LOAD_BODY) {
                    load_done(c);

                } else {
                    c->state = LOAD_CHUNK_END;
                }
            }

            break;

        default:
            p = load_line(c, p, end, "\r\n");

            if (p) {
                load_chunk_line(c);
            }
        }
    }
}


static void
load_read(load_conn_t *c)
{
    ssize_t  n;

    n = recv(c->fd, load_buffer, LOAD_BUFFER, 0);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        load_fail("a connection was closed after %lu responses", load.done);
    }

    load_take(c, load_buffer, load_buffer + n);
}


static int
load_order(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


static double
load_percentile(unsigned percent)
{
    return load.times[(load.done - 1) * percent / 100] * 1e6;
}


static size_t
load_file(const char *name, char *body, size_t size)
{
    FILE    *in;
    size_t   n;

    in = fopen(name, "rb");

    if (in == NULL) {
        load_fail("no such file: %s", name);
    }

    n = fread(body, 1, size, in);
    fclose(in);

    if (n == size) {
        load_fail("too large: %s", name);
    }

    return n;
}


static void
load_request(const char *uri, const char *field, const char *file)
{
    int          n;
    size_t       len;
    char         line[64];
    static char  body[LOAD_REQUEST];

    len = 0;
    line[0] = '\0';

    if (file) {
        len = load_file(file, body, LOAD_REQUEST - 2048);
        snprintf(line, sizeof(line), "Content-Type: application/json\r\n"
                 "Content-Length: %zu\r\n", len);
    }

    n = snprintf(load.request, 2048, "%s %s HTTP/1.1\r\n"
                 "Host: localhost\r\n"
                 "X-API-Key: ann-0123456789\r\n"
                 "%s%s%s\r\n", file ? "POST" : "GET", uri,
                 field ? field : "", field ? "\r\n" : "", line);

    if (n >= 2048) {
        load_fail("too long a header");
    }

    memcpy(load.request + n, body, len);
    load.request_len = (size_t) n + len;
}


static void
load_options(int argc, char *argv[])
{
    int          option;
    const char  *field, *file;

    field = NULL;
    file = NULL;

    while ((option = getopt(argc, argv, "t:b:H:v")) != -1) {

        switch (option) {

        case 't':
            load.limit = atof(optarg);
            break;

        case 'b':
            file = optarg;
            break;

        case 'H':
            field = optarg;
            break;

        case 'v':
            load.varying = 1;
            break;

        default:
            exit(1);
        }
    }

    if (argc - optind != 4) {
        load_fail("four arguments are wanted: PORT URI CONNECTIONS REQUESTS");
    }

    load.unsent = strtoul(argv[optind + 3], NULL, 10);

    if (load.unsent == 0) {
        load_fail("not a number of requests");
    }

    load_request(argv[optind + 1], field, file);
}


static void
load_start(int port, int connections)
{
    int  i;

    if (connections < 1 || connections > LOAD_CONNECTIONS) {
        load_fail("not a number of connections");
    }

    load.epoll = epoll_create1(0);
    load.times = calloc(load.unsent, sizeof(double));

    if (load.epoll == -1 || load.times == NULL) {
        load_fail("no epoll, or no memory");
    }

    for (i = 0; i < connections; i++) {
        load_connect(&load.conns[i], port);
    }

    load.started = load_now();

    for (i = 0; i < connections; i++) {
        load_send(&load.conns[i]);
    }
}


int
main(int argc, char *argv[])
{
    int                 i, n;
    double              took;
    struct epoll_event  events[LOAD_CONNECTIONS];

    load_options(argc, argv);
    load_start(atoi(argv[optind]), atoi(argv[optind + 2]));

    while (load.waiting) {
        n = epoll_wait(load.epoll, events, LOAD_CONNECTIONS, LOAD_TIMEOUT);

        if (n == 0) {
            load_fail("nothing comes, after %lu responses", load.done);
        }

        for (i = 0; i < n; i++) {
            load_read(events[i].data.ptr);
        }
    }

    took = load_now() - load.started;

    qsort(load.times, load.done, sizeof(double), load_order);

    printf("%lu %zu %.6f %.1f %.1f\n", load.done, load.length, took,
           load_percentile(50), load_percentile(99));

    return 0;
}
