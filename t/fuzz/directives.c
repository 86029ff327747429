
/*
 * Copyright (C) the modelguard authors
 *
 * A fuzz target: lines of directives, through nginx's own parser, in this
 * process.  A line that begins with a tab stands in a location, any other in
 * http.  The configuration is accepted, or there is a sentence that says why
 * not; in either case all memory is given back.
 *
 * ngx_init_cycle() is called as for "nginx -s": it ends when all has been
 * parsed, merged and checked, before files and sockets are opened.
 */


#include <fcntl.h>

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "fuzz_json.h"


#define POOLS  4096


static ngx_pool_t  *pools[POOLS];
static unsigned     npools, emergencies;
static char         conf_name[128];
static ngx_log_t    log_;

static const char *const  directives[] = {
    "modelguard_zone $arg_x zone=z:1m",
    "modelguard_zone $arg_x$uri zone=y:64k inactive=30d state=s",
    "modelguard_profile p { scores round=2 top=3; logits drop; }",
    "modelguard_profile q { scores label_only; metadata null; usage keep; }",
    "modelguard_secret s", "modelguard_log_level info",
    "\tmodelguard p", "\tmodelguard $arg_y", "\tmodelguard off",
    "\tmodelguard_field scores $.p $.q[*].r label=$.q[*].l",
    "\tmodelguard_field scores $.o.data shape=$.o.shape datatype=$.o.type",
    "\tmodelguard_field embedding $.**.e encoding=base64f32",
    "\tmodelguard_field logprobs $.d encoding=json inside=$.x",
    "\tmodelguard_field scores $.p classes=1000",
    "\tmodelguard_field scores $.p label=$.a label=$.b label=$.c label=$.d",
    "\tmodelguard_field metadata $.**.~^(prob|score)s?$",
    "\tmodelguard_budget b zone=z limit=60 window=1m unit=items burst=20",
    "\tmodelguard_budget c zone=z limit=$arg_l calendar=day unit=tokens",
    "\tmodelguard_budget d zone=z limit=2m lifetime unit=bits dry_run",
    "\tmodelguard_budget e zone=z limit=5 concurrent window=30s",
    "\tmodelguard_cost tokens estimate=1000", "\tmodelguard_cost 2",
    "\tmodelguard_param $.n max=1", "\tmodelguard_param $.logprobs forbid",
    "\tmodelguard_param $.a.b set={\"c\":1} when=$.stream",
    "\tmodelguard_param $.x drop", "\tmodelguard_binary_output drop",
    "\tmodelguard_body_size 1m", "\tmodelguard_dry_run on",
    "\tmodelguard_reject_status 429", "\tmodelguard_headers on",
    "\tmodelguard_headers ratelimit legacy",
    "\tmodelguard_error_body openai", "\tmodelguard_delay 5s",
    "\tmodelguard_ban after=5 in=60s time=1h",
    "\tmodelguard_types application/json text/event-stream",
    "\tmodelguard_buffer_size 64k", "\tmodelguard_vector_size 1m",
    "\tmodelguard_inflate_size 10m", "\tmodelguard_on_error pass",
    "\tmodelguard_opaque reject", "\tmodelguard_strip_headers X-Score X-P*",
    "\tmodelguard_max_depth 64"
};

static const char *const  words[] = {
    "zone=", "limit=", "window=", "1m", "30d", "0", "-1", "1", "4294967296",
    "99999999999999999999", "on", "off", "$arg_x", "$", "${", "$1", "\"\"",
    "window=366d", "window=999d", "burst=0", "unit=requests", "unit=items",
    "unit=bits", "calendar=month", "calendar=", "lifetime", "round=16",
    "step=0.05", "top=100", "top=101", "min=1e-5", "renormalize", "drop",
    "keep", "label=$.x", "shape=$", "encoding=text", "inside=$.a[0]", "$.",
    "$.**.**", "$[65536]", "$[~\"(\"]", "zone=z:8k", "zone=z:0", "zone=:1m",
    "state=", "inactive=0", "limit=2m", "limit=2g", "offset=14h", "p", "q",
    "b", "z", "set=[", "max=", "when=", "classes=0", "charge=answered"
};


int LLVMFuzzerInitialize(int *argc, char ***argv);
ngx_pool_t *__real_ngx_create_pool(size_t size, ngx_log_t *log);
void __real_ngx_destroy_pool(ngx_pool_t *pool);
ngx_pool_t *__wrap_ngx_create_pool(size_t size, ngx_log_t *log);
void __wrap_ngx_destroy_pool(ngx_pool_t *pool);


/* what the parser leaves behind, for it expects the process to end */

ngx_pool_t *
__wrap_ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_pool_t  *pool;

    pool = __real_ngx_create_pool(size, log);

    if (npools < POOLS) {
        pools[npools++] = pool;
    }

    return pool;
}


void
__wrap_ngx_destroy_pool(ngx_pool_t *pool)
{
    unsigned  i;

    for (i = npools; i > 0; i--) {

        if (pools[i - 1] == pool) {
            pools[i - 1] = pools[--npools];
            break;
        }
    }

    __real_ngx_destroy_pool(pool);
}


static void
writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    (void) log;

    emergencies += (level <= NGX_LOG_EMERG);

    if (getenv("FUZZ_VERBOSE")) {
        fprintf(stderr, "%.*s\n", (int) len, buf);
    }
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static ngx_cycle_t  cycle;

    (void) argc;

    ngx_os_argv = *argv;
    log_.log_level = NGX_LOG_NOTICE;
    log_.writer = writer;

    (void) ngx_strerror_init();
    ngx_time_init();
    ngx_regex_init();
    ngx_pid = getpid();

    ngx_use_stderr = 0;
    cycle.log = &log_;
    ngx_cycle = &cycle;

    if (ngx_os_init(&log_) != NGX_OK || ngx_crc32_table_init() != NGX_OK) {
        exit(2);
    }

    ngx_slab_sizes_init();

    if (ngx_preinit_modules() != NGX_OK) {
        exit(2);
    }

    /* in memory: it is written for each input */

    sprintf(conf_name, "/proc/self/fd/%d", memfd_create("conf", 0));

    ngx_process = NGX_PROCESS_SIGNALLER;
    npools = 0;

    return 0;
}


static void
put_lines(FILE *f, const uint8_t *data, size_t len, int location)
{
    size_t          n;
    const uint8_t  *p, *eol, *end;

    end = data + len;

    for (p = data; p < end; p = eol + 1) {
        eol = memchr(p, '\n', (size_t) (end - p));
        eol = (eol != NULL) ? eol : end;
        n = (size_t) (eol - p);

        if ((n && *p == '\t') == location) {
            fprintf(f, "%.*s\n", (int) n, p);
        }
    }
}


/* what reads other files, or is another module's, is not for here */

static int
is_ours(const uint8_t *data, size_t len)
{
    size_t                    i;
    static const char *const  not[] = { "include", "load_module", "..", "/dev",
                                        "/proc", "access_log", "error_log",
                                        "ssl_", "perl", "lua", "env" };

    for (i = 0; i < sizeof(not) / sizeof(not[0]); i++) {

        if (memmem(data, len, not[i], strlen(not[i])) != NULL) {
            return 0;
        }
    }

    return memchr(data, '\0', len) == NULL;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    FILE         *f;
    ngx_cycle_t   init, *cycle;

    if (!is_ours(data, len)) {
        return -1;
    }

    f = fopen(conf_name, "w");

    if (f == NULL) {
        exit(2);
    }

    fprintf(f, "events { }\nhttp {\n");
    put_lines(f, data, len, 0);
    fprintf(f, "server {\nlisten 127.0.0.1:1;\nlocation / {\n");
    put_lines(f, data, len, 1);
    fprintf(f, "proxy_pass http://127.0.0.1:2;\n}\n}\n}\n");
    fclose(f);

    memset(&init, 0, sizeof(ngx_cycle_t));
    ngx_cycle = &init;

    init.log = &log_;
    init.pool = ngx_create_pool(1024, &log_);

    ngx_str_set(&init.prefix, "fuzz/");
    ngx_str_set(&init.conf_prefix, "fuzz/");
    init.conf_file.data = (u_char *) conf_name;
    init.conf_file.len = strlen(conf_name);

    emergencies = 0;
    cycle = ngx_init_cycle(&init);

    if (cycle == NULL && emergencies == 0) {
        fuzz_fail("refused without a word");
    }

    if (cycle != NULL && emergencies != 0) {
        fuzz_fail("accepted with an error");
    }

    while (npools) {
        __wrap_ngx_destroy_pool(pools[npools - 1]);
    }

    return 0;
}


size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    char    text[256];
    size_t  at, end;

    fuzz_reseed(seed);

    if (fuzz_random(6) == 0) {
        return LLVMFuzzerMutate(data, size, max);
    }

    at = fuzz_random(size + 1);

    if (fuzz_random(3)) {

        /* a whole line, or not one */

        while (at && at < size && data[at - 1] != '\n') {
            at++;
        }

        for (end = at; end < size && data[end] != '\n'; end++) { /* void */ }

        sprintf(text, "%s%s\n", FUZZ_ANY(directives),
                fuzz_random(40) ? ";" : "");

        return fuzz_splice(data, size, max, at,
                           fuzz_random(3) ? at : end + (end < size), text,
                           fuzz_random(4) ? strlen(text) : 0);
    }

    /* a word */

    while (at && at < size && strchr(" ;{}\t\n", data[at]) == NULL) {
        at++;
    }

    for (end = at + 1; end < size && strchr(" ;{}\t\n", data[end]) == NULL;
         end++)
    {
        /* void */
    }

    if (end > size || fuzz_random(3) == 0) {
        end = at;
    }

    sprintf(text, " %s", FUZZ_ANY(words));

    return fuzz_splice_text(data, size, max, at, end, text);
}
