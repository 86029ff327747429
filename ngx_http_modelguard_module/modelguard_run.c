
/*
 * Copyright (C) the modelguard authors
 */


#include "modelguard_run.h"
#include "modelguard_hold.h"
#include "modelguard_number.h"


/* input that is taken at once, so that room for it is found beforehand */

#define RUN_PIECE  4096

/* what one number may become longer by, and what is touched behind it */

#define RUN_ROOM   32U

/* what one number may become longer by when the guard lowers it: "1" becomes
   "0.999999" */

#define RUN_LOWER  (MODELGUARD_ROUND_DIGITS + 1)


static int run_is_plain(const modelguard_treatment_t *treatment);
static int run_room(modelguard_hold_t *hold, size_t len);
static int run_edits(modelguard_hold_t *hold);
static int run_short(modelguard_hold_t *hold,
    const modelguard_treatment_t *treatment, const uint8_t *p, size_t len);
static const uint8_t *run_piece(modelguard_run_t *run, const uint8_t *p,
    const uint8_t *end);
static size_t run_top(const modelguard_round_t *round, const uint8_t *text);
static void run_lower(modelguard_round_t *round, const uint8_t *text,
    size_t top);
static int64_t run_scaled(uint64_t key);
static inline int run_is_gap(uint8_t c);


void
modelguard_run_begin(modelguard_hold_t *hold,
    const modelguard_treatment_t *treatment, uint8_t frame)
{
    modelguard_run_t  *run;

    if (!run_is_plain(treatment)) {
        return;
    }

    run = &hold->run;

    run->treatment = treatment;
    run->active = 1;
    run->frame = frame;
    run->numbers = 0;

    run->round.digits = treatment->digits;
    run->round.full = 0;
    run->round.top = MODELGUARD_ROUND_ZERO + 1;
    run->round.nties = 0;
    run->round.in = 0;
    run->round.out = run->round.begin;
}


int
modelguard_run_number(modelguard_hold_t *hold, const uint8_t *text,
    size_t off, size_t len)
{
    int                  rc;
    size_t               at;
    uint64_t             key;
    unsigned             negative;
    modelguard_round_t  *round;

    round = &hold->run.round;

    for (at = round->in; at < off; at++) {

        if (!run_is_gap(text[at])) {
            return run_edits(hold);
        }
    }

    if (!modelguard_numbers_scale(text + off, len, round->digits, &key,
                                  &negative))
    {
        return run_edits(hold);
    }

    rc = run_room(hold, off - round->in);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    at = off - round->in;

    if (!negative && key >= round->top) {
        modelguard_numbers_top(round, key, off, len, round->out + at);

        if (round->full) {
            return run_edits(hold);
        }
    }

    if (at) {
        memcpy(round->out, text + round->in, at);
    }

    round->out = modelguard_numbers_write(round->out + at, key, negative,
                                          round->digits);
    round->in = off + len;
    hold->run.numbers++;

    return MODELGUARD_OK;
}


int
modelguard_run_feed(modelguard_hold_t *hold, const uint8_t **p,
    const uint8_t *end, uint64_t *left)
{
    int                rc;
    uint32_t           most;
    const uint8_t     *q, *piece;
    modelguard_run_t  *run;

    run = &hold->run;

    for ( ;; ) {

        piece = (end - *p > RUN_PIECE) ? *p + RUN_PIECE : end;

        rc = run_room(hold, (size_t) (piece - *p));
        if (rc != MODELGUARD_OK) {
            return rc;
        }

        most = (*left > UINT32_MAX) ? UINT32_MAX : (uint32_t) *left;
        run->round.left = most;

        q = *p;
        *p = run_piece(run, q, end);

        most -= run->round.left;

        run->numbers += most;
        *left -= most;

        if (run->round.full) {
            return run_edits(hold);
        }

        if (*p == q || *left == 0) {
            return MODELGUARD_OK;
        }
    }
}


int
modelguard_run_alone(modelguard_hold_t *hold,
    const modelguard_treatment_t *treatment, const uint8_t **p,
    const uint8_t *end)
{
    int                  rc;
    size_t               room;
    const uint8_t       *q;
    modelguard_round_t  *round;

    if (!run_is_plain(treatment)
        || hold->conf->hold < MODELGUARD_NUMBERS_SLACK
        || hold->from != *p || hold->raw_len || hold->n)
    {
        return MODELGUARD_OK;
    }

    round = &hold->run.round;

    round->digits = treatment->digits;
    round->full = 0;
    round->top = UINT64_MAX;         /* no key is: there are no ties */
    round->in = 0;

    while (end - *p > 1 && **p == ',') {

        if (MODELGUARD_HOLD_OUT - hold->out_len < MODELGUARD_HOLD_OUT / 4) {
            rc = modelguard_hold_flush(hold);
            if (rc != MODELGUARD_OK) {
                return rc;
            }
        }

        room = MODELGUARD_HOLD_OUT - hold->out_len - RUN_ROOM;

        round->out = hold->out + hold->out_len;
        round->left = UINT32_MAX;

        q = *p;
        *p = run_piece(&hold->run, q,
                       (size_t) (end - q) > room ? q + room : end);

        if (*p == q) {
            break;
        }

        hold->out_len = (size_t) (round->out - hold->out);
        hold->stat.treated += UINT32_MAX - round->left;
        hold->from = *p;
    }

    return MODELGUARD_OK;
}


int
modelguard_run_one(modelguard_hold_t *hold,
    const modelguard_treatment_t *treatment, const uint8_t *p,
    const uint8_t *stop)
{
    int        rc;
    size_t     len;
    uint8_t   *out;
    uint64_t   key;
    unsigned   negative;

    if (!run_is_plain(treatment) || hold->raw_len || hold->n) {
        return MODELGUARD_AGAIN;
    }

    if (MODELGUARD_HOLD_OUT - hold->out_len < MODELGUARD_HOLD_OUT / 4) {
        rc = modelguard_hold_flush(hold);
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    rc = modelguard_hold_write(hold, hold->from, (size_t) (p - hold->from));
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    hold->from = p;
    len = (size_t) (stop - p);

    if (hold->out_len && len < RUN_ROOM
        && MODELGUARD_HOLD_OUT - hold->out_len > RUN_ROOM + RUN_ROOM)
    {
        if (!run_short(hold, treatment, p, len)) {
            return MODELGUARD_AGAIN;
        }

    } else {

        if (MODELGUARD_HOLD_OUT - hold->out_len < RUN_ROOM
            || !modelguard_numbers_scale(p, len, treatment->digits, &key,
                                         &negative))
        {
            return MODELGUARD_AGAIN;
        }

        out = hold->out + hold->out_len;

        hold->out_len += (size_t) (modelguard_numbers_write(out, key, negative,
                                                          treatment->digits)
                                   - out);
    }

    hold->from = stop;
    hold->stat.treated++;

    return MODELGUARD_OK;
}


/*
 * The same by the loop over vectors: the number is copied to where one has a
 * comma on both sides, and the byte where the first is written comes back.
 */

static int
run_short(modelguard_hold_t *hold, const modelguard_treatment_t *treatment,
    const uint8_t *p, size_t len)
{
    uint8_t              before, *out;
    uint8_t              text[MODELGUARD_NUMBERS_SLACK + 16];
    const uint8_t       *q;
    modelguard_round_t  *round;

    memset(text, ',', sizeof(text));
    memcpy(text + 1, p, len);

    out = hold->out + hold->out_len - 1;
    before = *out;

    round = &hold->run.round;

    round->digits = treatment->digits;
    round->full = 0;
    round->top = UINT64_MAX;         /* no key is: there are no ties */
    round->in = 0;
    round->out = out;
    round->left = 1;

    q = hold->run.simd->round(round, text, text + 1);

    *out = before;

    if (q == text) {
        return 0;
    }

    hold->out_len = (size_t) (round->out - hold->out);

    return 1;
}


/*
 * Near the end of the piece the numbers are copied to where bytes may be read
 * behind them; zeros there end no number.
 */

static const uint8_t *
run_piece(modelguard_run_t *run, const uint8_t *p, const uint8_t *end)
{
    size_t          len;
    const uint8_t  *q;
    uint8_t         last[2 * MODELGUARD_NUMBERS_SLACK];

    if (end - p > MODELGUARD_NUMBERS_SLACK) {
        len = (size_t) (end - p - MODELGUARD_NUMBERS_SLACK);

        if (len > RUN_PIECE - MODELGUARD_NUMBERS_SLACK) {
            len = RUN_PIECE - MODELGUARD_NUMBERS_SLACK;
        }

        return run->simd->round(&run->round, p, p + len);
    }

    len = (size_t) (end - p);

    memcpy(last, p, len);
    memset(last + len, 0, MODELGUARD_NUMBERS_SLACK);

    q = run->simd->round(&run->round, last, last + len);

    return p + (q - last);
}


int
modelguard_run_decide(modelguard_hold_t *hold, const uint8_t *p)
{
    int                  rc;
    size_t               top;
    const uint8_t       *text;
    modelguard_round_t  *round;

    round = &hold->run.round;

    if (round->nties == 1 || hold->run.numbers == 1) {
        return MODELGUARD_OK;
    }

    if (round->nties == 0) {

        /* the guard may have to raise the top, which is not known */

        return run_edits(hold);
    }

    rc = run_room(hold, (size_t) round->nties * RUN_LOWER);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    text = modelguard_hold_join(hold, p, &rc);
    if (text == NULL) {
        return rc;
    }

    top = run_top(round, text);

    run_lower(round, text, top);

    return MODELGUARD_OK;
}


/* the greatest of the ties as they came, the first of equals */

static size_t
run_top(const modelguard_round_t *round, const uint8_t *text)
{
    size_t                         i, top;
    const modelguard_round_tie_t  *a, *b;

    top = 0;

    for (i = 1; i < round->nties; i++) {
        a = &round->ties[i];
        b = &round->ties[top];

        if (modelguard_number_compare(text + a->in, a->len, text + b->in,
                                      b->len)
            > 0)
        {
            top = i;
        }
    }

    return top;
}


/* the guard: all but the top, and its equals behind it, lose one quantum */

static void
run_lower(modelguard_round_t *round, const uint8_t *text, size_t top)
{
    size_t                         i, old, len;
    uint8_t                       *at, lower[MODELGUARD_NUMBER_FORMAT_MAX];
    uint64_t                       key;
    const modelguard_round_tie_t  *a, *b;

    key = round->top;

    old = (size_t) (modelguard_numbers_write(lower, key, 0, round->digits)
                    - lower);
    len = modelguard_number_format(run_scaled(key) - 1, round->digits, lower);

    b = &round->ties[top];

    for (i = round->nties; i > 0; i--) {

        a = &round->ties[i - 1];

        if (a == b
            || (a > b && modelguard_number_compare(text + a->in, a->len,
                                                   text + b->in, b->len)
                         == 0))
        {
            continue;
        }

        at = round->begin + a->out;

        memmove(at + len, at + old, (size_t) (round->out - at) - old);
        memcpy(at, lower, len);

        round->out = round->out - old + len;
    }
}


static int64_t
run_scaled(uint64_t key)
{
    int64_t   scaled;
    unsigned  i;

    scaled = 0;

    for (i = 64; i > 0; i -= 8) {
        scaled = scaled * 10 + (int64_t) (key >> (i - 8) & 0x0f);
    }

    return scaled;
}


int
modelguard_run_send(modelguard_hold_t *hold, const uint8_t *p)
{
    int                  rc;
    size_t               off;
    modelguard_round_t  *round;

    round = &hold->run.round;
    off = round->in;

    hold->run.active = 0;
    hold->stat.treated += hold->run.numbers;

    rc = modelguard_hold_write(hold, round->begin,
                               (size_t) (round->out - round->begin));

    if (rc == MODELGUARD_OK && off < hold->raw_len) {
        rc = modelguard_hold_write(hold, hold->raw + off,
                                   hold->raw_len - off);
        off = hold->raw_len;
    }

    if (rc == MODELGUARD_OK) {
        off -= hold->raw_len;
        rc = modelguard_hold_write(hold, hold->from + off,
                                   (size_t) (p - hold->from) - off);
    }

    modelguard_hold_discard(hold, p);

    return rc;
}


/* MODELGUARD_AGAIN where modelguard_run_edits() has succeeded */

static int
run_edits(modelguard_hold_t *hold)
{
    int  rc;

    rc = modelguard_run_edits(hold);

    return rc == MODELGUARD_OK ? MODELGUARD_AGAIN : rc;
}


int
modelguard_run_edits(modelguard_hold_t *hold)
{
    int                 rc;
    size_t              at, off, end;
    const uint8_t      *text;
    modelguard_edit_t  *edit;

    hold->run.active = 0;
    end = hold->run.round.in;

    if (hold->raw_len && hold->raw_len < end) {
        rc = modelguard_hold_stash(hold, hold->from + (end - hold->raw_len));
        if (rc != MODELGUARD_OK) {
            return rc;
        }
    }

    text = hold->raw_len ? hold->raw : hold->from;

    for (at = 0; at < end; /* void */ ) {

        if (run_is_gap(text[at])) {
            at++;
            continue;
        }

        for (off = at; at < end && !run_is_gap(text[at]); at++) {
            /* void */
        }

        edit = modelguard_hold_edit(hold, &rc);
        if (edit == NULL) {
            return rc;
        }

        edit->off = (uint32_t) off;
        edit->len = (uint32_t) (at - off);
        edit->frame = hold->run.frame;

        modelguard_vector_number(hold->run.treatment, edit, text + off,
                                 edit->len);
    }

    return MODELGUARD_OK;
}


/* what may be between numbers */

static inline int
run_is_gap(uint8_t c)
{
    return c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}


/* rounded and nothing else, in as many digits as are written */

static int
run_is_plain(const modelguard_treatment_t *treatment)
{
    return treatment->round && !treatment->top && !treatment->min
           && !treatment->renormalize && treatment->digits > 0
           && treatment->digits <= MODELGUARD_ROUND_DIGITS;
}


/* room to write what "len" bytes become, if the limit leaves any */

static int
run_room(modelguard_hold_t *hold, size_t len)
{
    int                  rc;
    void                *begin;
    size_t               used, want;
    modelguard_round_t  *round;

    round = &hold->run.round;
    used = (size_t) (round->out - round->begin);
    want = used + len + RUN_ROOM;

    if (want <= hold->run.size) {
        return MODELGUARD_OK;
    }

    if (used > hold->conf->hold) {
        return run_edits(hold);
    }

    begin = round->begin;

    rc = modelguard_hold_grow(hold, &begin, &hold->run.size, want,
                              RUN_PIECE);
    if (rc != MODELGUARD_OK) {
        return rc;
    }

    round->begin = begin;
    round->out = round->begin + used;

    return MODELGUARD_OK;
}
