
/*
 * Copyright (C) the modelguard authors
 *
 * The scans over vectors, written once: each level's file defines
 *
 *     SIMD_TARGET             the attribute of its functions
 *     SIMD_WIDTH              bytes in a step, 64 at most
 *     simd_stops(p)           of SIMD_WIDTH bytes at p, which end plain text:
 *                             bit by bit, the first one lowest
 *     simd_ends(p)            which are CR or LF
 *     simd_others(p)          which are no digits
 *     simd_class(p, class)    of 64 bytes at p, what each may be in a number
 *
 * and includes this file, which is of no use otherwise.  Nothing outside of
 * [p, end) is read: what is less than a step goes byte by byte.
 */


#ifndef MODELGUARD_SIMD_X86_H_INCLUDED
#define MODELGUARD_SIMD_X86_H_INCLUDED

#ifdef SIMD_WIDTH


#define SIMD_BLOCK  64


static const uint8_t *simd_text(const uint8_t *p, const uint8_t *end,
    unsigned *escaped) SIMD_TARGET;
static const uint8_t *simd_line(const uint8_t *p, const uint8_t *end)
    SIMD_TARGET;
static const uint8_t *simd_digits(const uint8_t *p, const uint8_t *end)
    SIMD_TARGET;
static const uint8_t *simd_numbers(const uint8_t *p, const uint8_t *end)
    SIMD_TARGET;
static unsigned simd_block(const uint8_t *p) SIMD_TARGET;


static const uint8_t *
simd_text(const uint8_t *p, const uint8_t *end, unsigned *escaped)
{
    size_t          n;
    uint64_t        stops;
    const uint8_t  *q;

    while (end - p >= SIMD_WIDTH) {
        stops = simd_stops(p);

        for (q = p + SIMD_WIDTH; stops; /* void */ ) {
            q = p + __builtin_ctzll(stops);

            n = modelguard_simd_special(q, end, escaped);

            if (n == 0) {
                return q;
            }

            q += n;

            if (q - p >= SIMD_WIDTH) {
                break;
            }

            stops &= ~(uint64_t) 0 << (q - p);

            if (stops == 0) {
                q = p + SIMD_WIDTH;
            }
        }

        p = q;
    }

    return modelguard_simd_portable.text(p, end, escaped);
}


static const uint8_t *
simd_line(const uint8_t *p, const uint8_t *end)
{
    uint64_t  ends;

    while (end - p >= SIMD_WIDTH) {
        ends = simd_ends(p);

        if (ends) {
            return p + __builtin_ctzll(ends);
        }

        p += SIMD_WIDTH;
    }

    return modelguard_simd_portable.line(p, end);
}


static const uint8_t *
simd_digits(const uint8_t *p, const uint8_t *end)
{
    uint64_t  others;

    while (end - p >= SIMD_WIDTH) {
        others = simd_others(p);

        if (others) {
            return p + __builtin_ctzll(others);
        }

        p += SIMD_WIDTH;
    }

    return modelguard_simd_portable.digits(p, end);
}


static const uint8_t *
simd_numbers(const uint8_t *p, const uint8_t *end)
{
    unsigned        n;
    const uint8_t  *q;

    for (q = p; q < end; /* void */ ) {

        n = (end - q > SIMD_BLOCK) ? simd_block(q) : 0;

        if (n) {
            q += n;

        } else {
            q = modelguard_simd_number(q, end);

            if (q == NULL) {
                break;
            }
        }

        p = q;

        if (*q++ != ',') {
            break;
        }

        q += (q < end && *q == ' ');
    }

    return p;
}


/*
 * How many of SIMD_BLOCK bytes at p are whole numbers with commas between, of
 * which the first begins at p; 0 if there is none, or anything is wrong with
 * them.  All bytes are looked at together: a bit for each, and what must
 * follow what is a shift by one.
 */

static unsigned
simd_block(const uint8_t *p)
{
    uint64_t                 known, start, run, wrong, region;
    unsigned                 cut;
    modelguard_simd_class_t  is;

    simd_class(p, &is);

    known = is.digit | is.comma | is.point | is.minus | is.e | is.space;

    cut = (~known == 0) ? SIMD_BLOCK : (unsigned) __builtin_ctzll(~known);

    if (cut == 0) {
        return 0;
    }

    /* the last number that is known to have ended */

    if (cut == SIMD_BLOCK || (is.digit >> (cut - 1) & 1) == 0) {
        region = is.comma & (~(uint64_t) 0 >> (SIMD_BLOCK - cut));

        if (region == 0) {
            return 0;
        }

        cut = SIMD_BLOCK - 1 - (unsigned) __builtin_clzll(region);
    }

    if (cut == 0) {
        return 0;
    }

    region = ~(uint64_t) 0 >> (SIMD_BLOCK - cut);

    /* where a number begins, its sign, and its first digit */

    start = is.comma << 1 | 1;

    wrong = is.space & ~(is.comma << 1);

    start = (start & ~is.space) | is.space << 1;

    wrong |= start & ~(is.minus | is.digit);
    wrong |= is.comma & ~(is.digit << 1);
    wrong |= is.minus & ~(start | is.e << 1);
    wrong |= is.minus << 1 & ~is.digit;

    start = (start & ~is.minus) | (start & is.minus) << 1;

    wrong |= start & is.zero & is.digit >> 1;

    /* a fraction ends in anything but another point */

    wrong |= is.point & ~(is.digit << 1);
    wrong |= is.point << 1 & ~is.digit;

    run = (is.point << 1) + is.digit;

    wrong |= run & ~is.digit & is.point;

    if (is.e & region) {
        wrong |= is.e & ~(is.digit << 1);

        start = is.e << 1;
        wrong |= start & ~(is.digit | is.minus);

        start = (start & is.digit) | (start & is.minus) << 1;
        run = start + is.digit;

        wrong |= run & ~is.digit & (is.point | is.e);
    }

    return ((wrong & region) == 0 && (is.digit >> (cut - 1) & 1)) ? cut : 0;
}


#endif /* SIMD_WIDTH */


#endif /* MODELGUARD_SIMD_X86_H_INCLUDED */
