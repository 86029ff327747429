
/*
 * Copyright (C) the modelguard authors
 *
 * Each way to change a table is run instruction by instruction.  What is in
 * memory after each one is what a kill at that point leaves behind: opened
 * anew, as after a kill of all processes, and found by the next who takes the
 * lock, it has to be the table before the change, or after it.
 */


#include "kill.h"

#include <errno.h>
#include <sys/ptrace.h>


#define STEP_SIZE     (KILL_SLOW ? 12 * 1024 : 24 * 1024)
#define STEP_KNOWN    8
#define STEP_CLIENTS  220        /* more than there is room for */
#define STEP_MAX      2000000
#define STEP_STATES   256
#define STEP_LIMIT    (MODELGUARD_BUDGET_LIMIT_MAX / KILL_BUDGETS)


typedef struct {
    const char  *name;
    void       (*run)(table_t *table);
    unsigned     full:1;             /* the table is full before */
    unsigned     many:1;             /* changes several records, each whole */
    unsigned     quiet:1;            /* need not change what can be seen */
} operation_t;


typedef struct {
    uint64_t  remaining[KILL_BUDGETS];
    uint64_t  verdict;
} view_t;


typedef struct {
    view_t    clients[STEP_CLIENTS];
    uint64_t  records;
    unsigned  budgets;
} state_t;


static table_t            *table;
static char               *saved, *last, *copy;
static volatile unsigned  *done;
static state_t             before, after;

/* of memory, during an operation */

static char               *states;


static void
lock(table_t *of, const client_t *id)
{
    if (modelguard_table_lock(of, modelguard_table_shard(of, id))
        != MODELGUARD_OK)
    {
        bail("no lock");
    }
}


static void
unlock(table_t *of, const client_t *id)
{
    modelguard_table_unlock(of, modelguard_table_shard(of, id));
}


static verdict_t
pay(table_t *of, uint64_t n, uint64_t cost)
{
    client_t   id;
    charge_t   charges[KILL_BUDGETS];
    verdict_t  verdict;

    id = kill_client(n);

    lock(of, &id);
    verdict = kill_charge(of, &id, cost, STEP_LIMIT, charges);
    unlock(of, &id);

    return verdict;
}


static void
run_charge(table_t *of)
{
    (void) pay(of, 1, 5);
}


/* the last client is never there before, so it takes the place of another */

static void
run_new(table_t *of)
{
    (void) pay(of, STEP_CLIENTS - 1, 5);
}


/* the sliding window alone: modelguard_table_quick.c makes such charges */

static void
run_quick(table_t *of)
{
    client_t   id;
    charge_t   charge;
    verdict_t  verdict;

    id = kill_client(1);

    memset(&charge, 0, sizeof(charge_t));

    charge.name = 1;
    charge.budget = kill_budget(0, STEP_LIMIT);
    charge.cost = 5;

    if (modelguard_table_pay(of, &id, &charge, 1, KILL_NOW, &verdict)
        != MODELGUARD_OK)
    {
        bail("no lock");
    }
}


static void
settle(table_t *of, uint64_t n, uint64_t actual)
{
    client_t  id;

    id = kill_client(n);

    lock(of, &id);
    (void) kill_settle(of, &id, 5, actual);
    unlock(of, &id);
}


static void
run_settle_more(table_t *of)
{
    settle(of, 1, 50);
}


static void
run_settle_less(table_t *of)
{
    settle(of, 1, 2);
}


static void
run_settle_new(table_t *of)
{
    settle(of, STEP_CLIENTS - 1, 50);
}


static void
run_strike(table_t *of)
{
    client_t          id;
    modelguard_ban_t  ban;

    id = kill_client(1);
    ban.after = 1;
    ban.in = 60;
    ban.time = 600;

    lock(of, &id);
    (void) modelguard_table_strike(of, &id, &ban, KILL_NOW);
    unlock(of, &id);
}


static void
run_ban(table_t *of)
{
    client_t  id;

    id = kill_client(STEP_CLIENTS - 1);

    lock(of, &id);
    (void) modelguard_table_ban(of, &id, 600, KILL_NOW);
    unlock(of, &id);
}


static void
run_sweep(table_t *of)
{
    uint64_t  cursor;

    cursor = 0;

    (void) modelguard_table_lock(of, 0);
    (void) modelguard_table_sweep(of, 0, &cursor, 1000, 60,
                                  KILL_NOW + 86400000);
    modelguard_table_unlock(of, 0);
}


static void
run_register(table_t *of)
{
    (void) modelguard_table_lock_all(of);
    (void) modelguard_table_register(of, KILL_BUDGETS + 1,
                                     kill_budget(0, STEP_LIMIT));
    modelguard_table_unlock_all(of);
}


static operation_t  operations[] = {
    { "a charge", run_charge, 0, 0, 0 },
    { "a quick charge", run_quick, 0, 0, 0 },
    { "the first charge of a client", run_new, 0, 0, 0 },
    { "a charge that evicts", run_new, 1, 0, 0 },
    { "settling for more", run_settle_more, 0, 0, 0 },
    { "settling for less", run_settle_less, 0, 0, 0 },
    { "settling for who is gone", run_settle_new, 0, 0, 0 },
    { "settling that evicts", run_settle_new, 1, 0, 0 },
    { "a strike that bans", run_strike, 0, 0, 0 },
    { "a ban of a new client", run_ban, 0, 0, 0 },
    { "a sweep", run_sweep, 0, 1, 0 },
    { "a new budget", run_register, 0, 0, 0 }
};


/* of a table that nobody holds; "records" comes from opening a copy */

static void
observe(table_t *of, uint64_t records, state_t *state)
{
    unsigned   n, i;
    client_t   id;
    charge_t   charges[KILL_BUDGETS];
    verdict_t  verdict;

    memset(state, 0, sizeof(state_t));

    for (n = 0; n < STEP_CLIENTS; n++) {
        id = kill_client(n);

        lock(of, &id);
        verdict = kill_charge(of, &id, 0, STEP_LIMIT, charges);
        unlock(of, &id);

        /* who has no record and finds no room is as good as new */

        state->clients[n].verdict = (verdict.verdict == MODELGUARD_BANNED);

        for (i = 0; i < KILL_BUDGETS; i++) {
            state->clients[n].remaining[i] = charges[i].remaining;
        }
    }

    state->records = records;
    state->budgets = (modelguard_table_index(of, KILL_BUDGETS + 1)
                      < of->cells);
}


/* a restart's view of memory; 0 if the table is not whole */

static int
reopen(const void *mem, state_t *state, uint64_t *replayed)
{
    table_t                   *opened;
    modelguard_table_report_t  report;

    memcpy(copy, mem, STEP_SIZE);

    if (modelguard_table_check(copy, STEP_SIZE, STEP_SIZE) != MODELGUARD_OK) {
        return 0;
    }

    opened = (table_t *) (void *) copy;
    modelguard_table_open(opened, KILL_NOW, &report);
    observe(opened, report.records, state);

    *replayed += report.replayed;

    return report.repaired == 0;
}


static int
is_either(const operation_t *operation, const state_t *state)
{
    unsigned  n;

    if (memcmp(state, &before, sizeof(state_t)) == 0
        || memcmp(state, &after, sizeof(state_t)) == 0)
    {
        return 1;
    }

    if (!operation->many) {
        return 0;
    }

    for (n = 0; n < STEP_CLIENTS; n++) {
        if (memcmp(&state->clients[n], &before.clients[n], sizeof(view_t))
            && memcmp(&state->clients[n], &after.clients[n], sizeof(view_t)))
        {
            return 0;
        }
    }

    return state->records <= before.records
           && state->records >= after.records;
}


static pid_t
child(const operation_t *operation)
{
    int    status;
    pid_t  pid;

    *done = 0;
    fflush(stdout);

    pid = fork();

    if (pid == -1) {
        bail("cannot fork");
    }

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(77);
        }

        (void) raise(SIGSTOP);
        operation->run(table);
        *done = 1;

        for ( ;; ) {
            (void) getpid();
        }
    }

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return -1;
    }

    return pid;
}


static int
step(pid_t pid)
{
    int  status;

    return ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0
           && waitpid(pid, &status, 0) == pid
           && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}


static void
finish(pid_t pid)
{
    int  status;

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);
}


static void
restore(void)
{
    memcpy(table, saved, STEP_SIZE);
}


/* the table that an operation begins with */

static void
prepare(const operation_t *operation)
{
    unsigned  n;
    uint64_t  replayed;

    memset(table, 0, STEP_SIZE);
    (void) kill_table(table, STEP_SIZE);

    for (n = 0; n < (operation->full ? STEP_CLIENTS - 1 : STEP_KNOWN); n++) {
        (void) pay(table, n, (n == 1) ? 40 : 5 + n % 7);
    }

    if (operation->many) {
        for (n = 1; n < STEP_KNOWN; n++) {
            settle(table, n, 0);
        }
    }

    memcpy(saved, table, STEP_SIZE);
    replayed = 0;

    if (!reopen(table, &before, &replayed)) {
        bail("the table is not whole before");
    }

    operation->run(table);

    if (!reopen(table, &after, &replayed)) {
        bail("the table is not whole after");
    }

    restore();
}


/* collects all states of memory; the number of those, 0: cannot trace */

static unsigned
trace(const operation_t *operation)
{
    long      steps;
    pid_t     pid;
    state_t   state;
    unsigned  n, wrong, torn, back, was_after;
    uint64_t  replayed;

    n = wrong = torn = back = was_after = 0;
    replayed = 0;

    memcpy(last, saved, STEP_SIZE);
    pid = child(operation);

    if (pid == -1) {
        return 0;
    }

    for (steps = 1; !*done && steps < STEP_MAX; steps++) {

        if (!step(pid)) {
            finish(pid);
            return 0;
        }

        if (memcmp(last, table, STEP_SIZE) == 0) {
            continue;
        }

        memcpy(last, table, STEP_SIZE);

        if (n < STEP_STATES) {
            memcpy(states + n++ * STEP_SIZE, table, STEP_SIZE);
        }

        if (!reopen(table, &state, &replayed)) {
            torn++;
            continue;
        }

        if (!is_either(operation, &state)) {
            wrong++;

        } else if (memcmp(&state, &before, sizeof(state_t)) != 0) {
            was_after = 1;

        } else if (was_after) {
            back++;
        }
    }

    finish(pid);

    ok(*done && n > 1 && n < STEP_STATES,
       "%s: %ld instructions, %u states of memory", operation->name, steps, n);
    ok(memcmp(&before, &after, sizeof(state_t)) != 0
       && is_either(operation, &state) && was_after,
       "%s: changes the table", operation->name);
    ok(torn == 0, "%s: the table is whole in every state (%u not)",
       operation->name, torn);
    ok(wrong == 0, "%s: as before or as after in every state (%u not)",
       operation->name, wrong);
    ok(back == 0, "%s: what is done stays done (%u)", operation->name, back);
    ok(replayed > 0 || operation->many || operation->run == run_register,
       "%s: %llu times from the journal", operation->name,
       (unsigned long long) replayed);

    return n;
}


/*
 * A process that holds the lock dies, and leaves that state of memory behind:
 * all of it but the lock itself, which knows the process.
 */

static void
die_there(const char *state)
{
    int     status;
    char   *mem;
    pid_t   pid;
    size_t  lock, behind;

    restore();
    fflush(stdout);

    pid = fork();

    if (pid == -1) {
        bail("cannot fork");
    }

    if (pid == 0) {
        (void) modelguard_table_lock_all(table);

        mem = (char *) table;
        lock = (size_t) ((char *) &modelguard_table_part(table, 0)->lock
                         - mem);
        behind = lock + sizeof(modelguard_lock_t);

        memcpy(mem, state, lock);
        memcpy(mem + behind, state + behind, STEP_SIZE - behind);

        (void) kill(getpid(), SIGKILL);
    }

    (void) waitpid(pid, &status, 0);
}


/* the next one takes the lock, and leaves nothing to do for a restart */

static void
replay(const operation_t *operation, unsigned n)
{
    state_t                  state, opened;
    unsigned                 i, wrong, differ;
    uint64_t                 replayed;
    modelguard_table_stat_t  stat;

    wrong = differ = 0;

    for (i = 0; i < n; i++) {
        die_there(states + i * STEP_SIZE);

        if (modelguard_table_lock_all(table) != MODELGUARD_OK) {
            wrong++;
            continue;
        }

        modelguard_table_unlock_all(table);
        modelguard_table_stat(table, &stat);

        replayed = 0;

        if (!reopen(table, &opened, &replayed)) {
            wrong++;
            continue;
        }

        observe(table, opened.records, &state);

        wrong += !is_either(operation, &state);
        differ += (memcmp(&state, &opened, sizeof(state_t)) != 0
                   || stat.records != opened.records || replayed != 0);
    }

    ok(wrong == 0, "%s: the next one finds it whole in every state (%u not)",
       operation->name, wrong);
    ok(differ == 0, "%s: and leaves nothing for a restart (%u)",
       operation->name, differ);
}


int
main(void)
{
    size_t    i;
    unsigned  n;

    (void) alarm(KILL_SLOW ? 300 : 120);

    table = kill_map(kill_memory(STEP_SIZE), STEP_SIZE);
    done = kill_map(kill_memory(MODELGUARD_TABLE_PAGE), MODELGUARD_TABLE_PAGE);
    states = malloc((size_t) STEP_STATES * STEP_SIZE);
    saved = aligned_alloc(MODELGUARD_TABLE_PAGE, STEP_SIZE);
    last = aligned_alloc(MODELGUARD_TABLE_PAGE, STEP_SIZE);
    copy = aligned_alloc(MODELGUARD_TABLE_PAGE, STEP_SIZE);

    if (states == NULL || saved == NULL || last == NULL || copy == NULL) {
        bail("no memory");
    }

    for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        prepare(&operations[i]);
        n = trace(&operations[i]);

        if (n == 0 && i == 0) {
            ok(1, "# SKIP processes may not be traced here");
            break;
        }

        replay(&operations[i], n);
    }

    free(states);
    free(saved);
    free(last);
    free(copy);

    return tap_done();
}
