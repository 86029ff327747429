
/*
 * Copyright (C) the modelguard authors
 *
 * A slow decimal arithmetic to compare modelguard_number.c with: every number
 * is written out in full, and rounded on that string as at school.  And what
 * both tests of that file share: texts that end at a guard page, counting.
 */


#ifndef NUMBER_REF_H_INCLUDED
#define NUMBER_REF_H_INCLUDED


#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tap.h"
#include "modelguard_number.h"


#define nitems(a)     (sizeof(a) / sizeof((a)[0]))

#define SLOT          4096
#define LONGEST       1100           /* the longest text of the corpus */

#define REF_EXPONENT  3000
#define REF_SIZE      16384


typedef struct {
    int     negative;
    int     huge;                    /* not written out */
    int     tiny;
    size_t  before;                  /* digits before the point */
    size_t  after;
    char    digits[REF_SIZE];
} ref_t;


static unsigned char  *slot[2];      /* each ends at a guard page */
static uint64_t        seed = 88172645463325252ULL;
static size_t          checks, wrong;


static inline uint64_t
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed;
}


static inline void
slots_init(void)
{
    size_t         i;
    unsigned char  zeros[SLOT];

    memset(zeros, 0, SLOT);

    for (i = 0; i < nitems(slot); i++) {
        slot[i] = guard_copy(zeros, SLOT);
    }
}


static inline uint8_t *
place(size_t n, const char *text, size_t len)
{
    return memcpy(slot[n] + SLOT - len, text, len);
}


static inline void
expect(int pass, const char *what, const char *text, unsigned digits)
{
    checks++;

    if (!pass && wrong++ < 20) {
        printf("# %s of %.80s, %u\n", what, text, digits);
    }
}


static inline void
report(const char *what)
{
    ok(wrong == 0 && checks > 0, "%s: %zu checks, %zu wrong", what, checks,
       wrong);

    checks = 0;
    wrong = 0;
}


static inline size_t
round_text(const char *text, unsigned digits, char *out)
{
    size_t    len, n;
    uint8_t  *to, *from;

    len = strlen(text);
    from = place(0, text, len);
    to = slot[1] + SLOT - len - MODELGUARD_NUMBER_PAD;

    n = modelguard_number_round(from, len, digits, to);

    if (n > len + MODELGUARD_NUMBER_PAD) {
        n = 0;
    }

    memcpy(out, to, n);
    out[n] = '\0';

    return n;
}


static inline int
compare_text(const char *a, const char *b)
{
    int  n;

    n = modelguard_number_compare(place(0, a, strlen(a)), strlen(a),
                                  place(1, b, strlen(b)), strlen(b));

    return (n > 0) - (n < 0);
}


static inline long
ref_exponent(const char *p)
{
    int   negative;
    long  n;

    negative = (*p == '-');

    if (*p == '-' || *p == '+') {
        p++;
    }

    for (n = 0; *p; p++) {
        n = n * 10 + (*p - '0');

        if (n > 100 * REF_EXPONENT) {
            n = 100 * REF_EXPONENT;
        }
    }

    return negative ? -n : n;
}


static inline void
ref_set(ref_t *r, const char *text)
{
    long    point, len, zeros;
    size_t  n;
    char    mantissa[REF_SIZE];

    memset(r, 0, offsetof(ref_t, digits));

    if (*text == '-') {
        r->negative = 1;
        text++;
    }

    n = 0;
    point = -1;

    for ( /* void */ ; *text && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            point = (long) n;

        } else {
            mantissa[n++] = *text;
        }
    }

    mantissa[n] = '\0';
    len = (long) n;

    if (point == -1) {
        point = len;
    }

    if (strspn(mantissa, "0") == n) {
        r->before = 1;
        strcpy(r->digits, "0");
        return;
    }

    if (*text) {
        point += ref_exponent(text + 1);
    }

    if (point > 2 * REF_EXPONENT || point < -2 * REF_EXPONENT) {
        r->huge = (point > 0);
        r->tiny = (point < 0);
        return;
    }

    zeros = (point <= 0) ? 1 - point : 0;

    memset(r->digits, '0', (size_t) zeros);
    memcpy(r->digits + zeros, mantissa, n);

    if (point <= 0) {
        r->before = 1;
        r->after = (size_t) (len - point);

    } else if (point >= len) {
        memset(r->digits + n, '0', (size_t) (point - len));
        r->before = (size_t) point;

    } else {
        r->before = (size_t) point;
        r->after = (size_t) (len - point);
    }

    r->digits[r->before + r->after] = '\0';
}


/* the value times 10^digits, rounded, as digits without leading zeros */

static inline void
ref_whole(const ref_t *r, unsigned digits, char *out)
{
    int     up;
    char    ch;
    size_t  i, n, have;

    n = r->before + digits;
    have = r->before + r->after;

    out[0] = '0';

    for (i = 0; i < n; i++) {
        out[i + 1] = (i < have) ? r->digits[i] : '0';
    }

    out[n + 1] = '\0';
    up = 0;

    if (n < have) {
        ch = r->digits[n];
        up = (ch >= '5');

        if (ch == '5') {
            for (i = n + 1; i < have && r->digits[i] == '0'; i++) {
                /* void */
            }

            if (i == have) {
                up = (out[n] - '0') % 2;
            }
        }
    }

    for (i = n; up; i--) {
        up = (out[i] == '9');
        out[i] = up ? '0' : (char) (out[i] + 1);
    }

    i = strspn(out, "0");

    if (out[i] == '\0') {
        i--;
    }

    memmove(out, out + i, strlen(out + i) + 1);
}


/* what modelguard_number_format() is to write */

static inline void
ref_canonical(const ref_t *r, unsigned digits, char *out)
{
    char    *p;
    char     whole[REF_SIZE];
    size_t   n;

    ref_whole(r, digits, whole);

    p = out;
    n = strlen(whole);

    if (r->negative && strcmp(whole, "0") != 0) {
        *p++ = '-';
    }

    if (n > digits) {
        memcpy(p, whole, n - digits);
        p += n - digits;
        memmove(whole, whole + n - digits, digits + 1);

    } else {
        *p++ = '0';
        memmove(whole + digits - n, whole, n + 1);
        memset(whole, '0', digits - n);
    }

    *p = '\0';

    for (n = strlen(whole); n && whole[n - 1] == '0'; n--) {
        /* void */
    }

    if (n) {
        *p++ = '.';
        memcpy(p, whole, n);
        p[n] = '\0';
    }
}


/* both are written out */

static inline int
ref_compare(const ref_t *a, const ref_t *b)
{
    int   da, db;
    long  i, place, top, low;

    top = (long) (a->before > b->before ? a->before : b->before);
    low = -(long) (a->after > b->after ? a->after : b->after);

    for (place = top; place > low; place--) {

        i = (long) a->before - place;
        da = (i >= 0 && i < (long) (a->before + a->after))
             ? a->digits[i] - '0' : 0;

        i = (long) b->before - place;
        db = (i >= 0 && i < (long) (b->before + b->after))
             ? b->digits[i] - '0' : 0;

        da = a->negative ? -da : da;
        db = b->negative ? -db : db;

        if (da != db) {
            return da < db ? -1 : 1;
        }
    }

    return 0;
}


#endif /* NUMBER_REF_H_INCLUDED */
