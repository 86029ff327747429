
/*
 * Copyright (C) the modelguard authors
 *
 * The scan of text over vectors, written once for blocks of 64 bytes: each
 * level's file defines SIMD_TARGET, the attribute of its functions, and
 *
 *     simd_stops(p)           which bytes end plain text: bit by bit, the
 *                             first one lowest
 *     simd_split(p, text)     what ends plain text
 *     simd_leads(p, high)     what may be in characters of many bytes
 *
 * and includes this file, which is of no use otherwise.  Nothing outside of
 * [p, end) is read: what is less than a block goes byte by byte.
 */


#ifndef MODELGUARD_SIMD_X86_H_INCLUDED
#define MODELGUARD_SIMD_X86_H_INCLUDED

#ifdef SIMD_TARGET


#define SIMD_BLOCK  64
#define SIMD_FEW    4                /* stops that are looked at one by one */
#define SIMD_ODD    0xaaaaaaaaaaaaaaaaULL


static const uint8_t *simd_text(const uint8_t *p, const uint8_t *end,
    unsigned *escaped) SIMD_TARGET;
static const uint8_t *simd_dense(const uint8_t *p, const uint8_t *end,
    unsigned *escaped) SIMD_TARGET;
static size_t simd_mixed(const uint8_t *p, uint64_t stops, unsigned *escaped)
    SIMD_TARGET;
static unsigned simd_escapes(const uint8_t *p, uint64_t ends, unsigned cut)
    SIMD_TARGET;
static unsigned simd_high(const uint8_t *p, uint64_t high) SIMD_TARGET;


static const uint8_t *
simd_text(const uint8_t *p, const uint8_t *end, unsigned *escaped)
{
    size_t          n;
    uint64_t        stops;
    unsigned        few, at;
    const uint8_t  *q;

    while (end - p >= SIMD_BLOCK) {
        stops = simd_stops(p);
        q = p + SIMD_BLOCK;

        for (few = 0; stops; few++) {
            at = (unsigned) __builtin_ctzll(stops);
            q = p + at;

            if (few == SIMD_FEW) {
                break;
            }

            if (*q == '"') {
                return q;
            }

            /* nearly all are "\n" and the like, whole in the block */

            if (*q == '\\' && at < SIMD_BLOCK - 1
                && modelguard_simd_escapes[q[1]] == 2)
            {
                *escaped = 1;
                stops &= ~((uint64_t) 3 << at);
                q = p + SIMD_BLOCK;

                continue;
            }

            n = modelguard_simd_special(q, end, escaped);

            if (n == 0) {
                return q;
            }

            q += n;

            if (q - p >= SIMD_BLOCK) {
                break;
            }

            stops &= ~(uint64_t) 0 << (q - p);

            if (stops == 0) {
                q = p + SIMD_BLOCK;
            }
        }

        p = q;

        if (few == SIMD_FEW && stops) {
            p = simd_dense(p, end, escaped);

            if (p < end && *p == '"') {
                return p;
            }
        }
    }

    return modelguard_simd_portable.text(p, end, escaped);
}


/*
 * The same where a block has more than a few that are not plain.  Returns as
 * soon as there is one that has, or at what is not passed: the caller sees.
 */

static const uint8_t *
simd_dense(const uint8_t *p, const uint8_t *end, unsigned *escaped)
{
    size_t    n;
    uint64_t  stops;

    while (end - p >= SIMD_BLOCK) {
        stops = simd_stops(p);

        if (stops == 0) {
            return p + SIMD_BLOCK;
        }

        n = simd_mixed(p, stops, escaped);
        p += n;

        if (n == SIMD_BLOCK) {
            continue;
        }

        do {
            n = modelguard_simd_special(p, end, escaped);

            if (n == 0) {
                return p;
            }

            p += n;

        } while (p < end && (*p == '\\' || *p >= 0x80));
    }

    return p;
}


/* how many of SIMD_BLOCK bytes are whole characters and simple escapes */

static size_t
simd_mixed(const uint8_t *p, uint64_t stops, unsigned *escaped)
{
    unsigned                 cut, high;
    uint64_t                 quotes, ends, carry;
    modelguard_simd_split_t  is;

    simd_split(p, &is);

    cut = SIMD_BLOCK;
    quotes = is.quote;

    if (is.slash) {

        /*
         * What is escaped behind a run of backslashes is so by their number:
         * a run from an even place to an odd one, or the other way.  Adding
         * the first bit of a run moves it past its last.
         */

        ends = is.slash & ~(is.slash << 1) & SIMD_ODD;
        carry = is.slash + ends;

        if (carry < is.slash) {
            cut = SIMD_BLOCK - 1;
        }

        ends = (carry & ~is.slash & ~SIMD_ODD)
               | ((is.slash + (is.slash & ~(is.slash << 1) & ~SIMD_ODD))
                  & ~is.slash & SIMD_ODD);

        quotes &= ~ends;

        cut = simd_escapes(p, ends, cut);
    }

    stops &= ~(is.slash | is.quote | is.high);
    stops |= quotes;

    if (stops && (unsigned) __builtin_ctzll(stops) < cut) {
        cut = (unsigned) __builtin_ctzll(stops);
    }

    if (is.high) {
        high = simd_high(p, is.high);
        cut = (high < cut) ? high : cut;
    }

    if (cut && (is.slash & (~(uint64_t) 0 >> (SIMD_BLOCK - cut)))) {
        *escaped = 1;
    }

    return cut;
}


/* where the first escape begins that is not of two bytes, or "cut" */

static unsigned
simd_escapes(const uint8_t *p, uint64_t ends, unsigned cut)
{
    unsigned  i;

    for ( /* void */ ; ends; ends &= ends - 1) {
        i = (unsigned) __builtin_ctzll(ends);

        if (modelguard_simd_escapes[p[i]] != 2) {
            return (i - 1 < cut) ? i - 1 : cut;
        }
    }

    return cut;
}


/*
 * How many of SIMD_BLOCK bytes are before the first multi-byte character that
 * is cut or not well-formed (RFC 3629), or a little less: leads tell where
 * continuations must be, and there must be no others.
 */

static unsigned
simd_high(const uint8_t *p, uint64_t high)
{
    uint64_t                 leads, wrong, part;
    modelguard_simd_leads_t  is;

    simd_leads(p, &is);

    leads = high & ~is.next;

    /* a lead of three bytes or more is one of two, and so on */

    is.two &= high;
    is.three &= high;
    is.four &= high;

    wrong = is.next ^ (is.two << 1 | is.three << 2 | is.four << 3);
    wrong |= leads & ~is.two;
    wrong |= is.over & high;

    /* the second byte of some has narrower bounds */

    wrong |= is.narrow;

    part = (is.two & (uint64_t) 1 << 63) | (is.three & (uint64_t) 3 << 62)
           | (is.four & (uint64_t) 7 << 61);

    if ((wrong | part) == 0) {
        return SIMD_BLOCK;
    }

    if (wrong) {
        part |= wrong & (~wrong + 1);
        leads &= (wrong & (~wrong + 1)) - 1;

        if (leads) {
            part |= (uint64_t) 1 << (63 - __builtin_clzll(leads));
        }
    }

    return (unsigned) __builtin_ctzll(part);
}


#endif /* SIMD_TARGET */


#endif /* MODELGUARD_SIMD_X86_H_INCLUDED */
