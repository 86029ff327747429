
/*
 * Copyright (C) the modelguard authors
 *
 * The clock, the documents and the loop that the kernels have in common, in C
 * and in C++.  Each program is
 *
 *     NAME time DOCUMENT=FILE ...     lines "METHOD_DOCUMENT GB/s"
 *     NAME print METHOD FILE          what the method makes of a file
 */


#ifndef KERNEL_TIME_H_INCLUDED
#define KERNEL_TIME_H_INCLUDED


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define KERNEL_RUNS    7
#define KERNEL_BYTES   (16 * 1024 * 1024)   /* of input in a run */
#define KERNEL_BUFFER  (8 * 1024 * 1024)
#define KERNEL_SPARE   64                   /* behind a document */


typedef struct {
    const char   *name;
    char         *data;
    size_t        len;
    char         *out;
    size_t        sent;
} kernel_doc_t;


typedef struct {
    const char   *name;
    void        (*run)(kernel_doc_t *doc);
    unsigned      slow;                     /* gets so much less */
    int           prints;
} kernel_method_t;


static inline void
kernel_fail(const char *what, const char *name)
{
    fprintf(stderr, "kernel: %s: %s\n", what, name);
    exit(1);
}


static inline double
kernel_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static inline void
kernel_load(kernel_doc_t *doc, const char *name, const char *file)
{
    FILE  *in;

    in = fopen(file, "rb");

    if (in == NULL) {
        kernel_fail("no such file", file);
    }

    doc->name = name;
    doc->data = (char *) malloc(KERNEL_BUFFER + KERNEL_SPARE);
    doc->out = (char *) malloc(KERNEL_BUFFER);
    doc->len = fread(doc->data, 1, KERNEL_BUFFER, in);
    doc->sent = 0;
    fclose(in);

    if (doc->len == 0 || doc->len == KERNEL_BUFFER) {
        kernel_fail("empty or too large", file);
    }

    memset(doc->data + doc->len, 0, KERNEL_SPARE);
}


/* from the best of several runs */

static inline void
kernel_time(const kernel_method_t *method, kernel_doc_t *doc)
{
    double    best, start, took;
    size_t    i, times;
    unsigned  run;

    best = 0;
    times = KERNEL_BYTES / method->slow / doc->len + 1;

    for (run = 0; run < KERNEL_RUNS; run++) {
        start = kernel_now();

        for (i = 0; i < times; i++) {
            method->run(doc);
        }

        took = kernel_now() - start;

        if (run == 0 || took < best) {
            best = took;
        }
    }

    printf("%s_%s %.3f\n", method->name, doc->name,
           (double) doc->len * (double) times / best / 1e9);
    fflush(stdout);
}


static inline void
kernel_print(const kernel_method_t *methods, const char *name,
    const char *file)
{
    kernel_doc_t  doc;

    for ( /* void */ ; methods->name; methods++) {

        if (strcmp(methods->name, name) == 0) {
            kernel_load(&doc, name, file);
            methods->run(&doc);
            fwrite(doc.out, 1, doc.sent, stdout);
            exit(0);
        }
    }

    kernel_fail("no such method", name);
}


/* The methods end with one without a name. */

static inline int
kernel_main(int argc, char *argv[], const kernel_method_t *methods)
{
    int                     i;
    char                   *file;
    kernel_doc_t            doc;
    const kernel_method_t  *method;

    if (argc == 4 && strcmp(argv[1], "print") == 0) {
        kernel_print(methods, argv[2], argv[3]);
    }

    if (argc == 2 && strcmp(argv[1], "methods") == 0) {
        for (method = methods; method->name; method++) {
            printf("%s %d\n", method->name, method->prints);
        }

        return 0;
    }

    for (i = 2; i < argc; i++) {
        file = strchr(argv[i], '=');

        if (file == NULL) {
            kernel_fail("not DOCUMENT=FILE", argv[i]);
        }

        *file++ = '\0';
        kernel_load(&doc, argv[i], file);

        for (method = methods; method->name; method++) {
            kernel_time(method, &doc);
        }

        free(doc.data);
        free(doc.out);
    }

    return 0;
}


#endif /* KERNEL_TIME_H_INCLUDED */
