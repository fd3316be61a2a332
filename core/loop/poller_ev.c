/* SPDX-License-Identifier: MIT
 *
 * The poller on libev; the one file that includes <ev.h>. libev calls pending watchers last in
 * first out, so its callbacks only put the watch on a list, which is taken from its end: that is
 * the kernel's order.
 */
#include "loop/poller.h"

#include <ev.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>

#include "sansio/memory.h"

struct ev_watch {
    struct rill__watch watch;
    struct ev_io io;         /* may still look for input that nobody wants any more, for a while */
    bool unwanted;           /* such input has been seen, once */
    int revents;             /* recorded by the callback */
    struct rill__link fired; /* in the poller's list of the last poll */
};

/* So many of a poll's descriptors are handled in one turn, the next ones in the next, as if the
 * kernel had told of them later. What a turn receives and the one behind it answers stays in the
 * processor's first caches then, the kernel's part too: with 1,000 busy connections a request takes
 * a tenth less. */
enum { FIRED_A_TURN = 16 };

struct ev_poller {
    struct rill__poller poller;
    struct ev_loop *ev;
    bool own;
    struct rill__list fired;
    struct ev_timer deadline; /* the single timer under the loop's heap */
    struct ev_async wake;
    struct ev_signal sigint;
    /* only inside an application's loop */
    struct ev_prepare prepare;
    struct ev_check check;
    struct ev_idle idle;
    bool jobs_held; /* helper threads are at work: ev_run must not return meanwhile */
};

static struct ev_poller *of(struct rill__poller *poller)
{
    return rill__container(poller, struct ev_poller, poller);
}

static void io_fired(struct ev_loop *ev, struct ev_io *io, int revents)
{
    struct ev_watch *watch = rill__container(io, struct ev_watch, io);
    struct ev_poller *self = of(watch->watch.loop->poller);
    (void)ev;
    watch->revents = revents;
    if (!rill__linked(&watch->fired)) {
        rill__list_append(&self->fired, &watch->fired);
    }
}

static void nothing_timer(struct ev_loop *ev, struct ev_timer *timer, int revents)
{
    (void)ev, (void)timer, (void)revents;
}

static void nothing_async(struct ev_loop *ev, struct ev_async *async, int revents)
{
    (void)ev, (void)async, (void)revents;
}

static void nothing_idle(struct ev_loop *ev, struct ev_idle *idle, int revents)
{
    (void)ev, (void)idle, (void)revents;
}

static void sigint_fired(struct ev_loop *ev, struct ev_signal *signal_watcher, int revents)
{
    struct ev_poller *self = rill__container(signal_watcher, struct ev_poller, sigint);
    (void)ev;
    (void)revents;
    self->poller.on_sigint(self->poller.on_sigint_arg);
}

static int wanted_events(const struct rill__watch *watch)
{
    return (watch->reading ? EV_READ : 0) | (watch->writing ? EV_WRITE : 0);
}

static void watch_events(struct ev_poller *self, struct ev_watch *watch, int events)
{
    ev_io_stop(self->ev, &watch->io);
    /* Not ev_io_set: that makes libev assume a new descriptor behind the number and costs an
     * epoll_ctl. */
    ev_io_modify(&watch->io, events);
    watch->unwanted = false;
    if (events != 0) {
        ev_io_start(self->ev, &watch->io);
    }
}

static void queue_fired(struct ev_poller *self, size_t most)
{
    while (most > 0 && !rill__list_empty(&self->fired)) {
        struct ev_watch *watch = rill__container(self->fired.head.prev, struct ev_watch, fired);
        rill__list_remove(&watch->fired);
        rill__fetch(watch->watch.owner, 128);
        if ((watch->revents & (EV_READ | EV_ERROR)) != 0 && watch->watch.reading) {
            rill__ready(watch->watch.loop, &watch->watch.on_readable);
        } else if (watch->unwanted) {
            watch_events(self, watch, wanted_events(&watch->watch));
        } else {
            watch->unwanted = !watch->watch.reading && (watch->revents & EV_READ) != 0;
        }
        if ((watch->revents & (EV_WRITE | EV_ERROR)) != 0 && watch->watch.writing) {
            rill__ready(watch->watch.loop, &watch->watch.on_writable);
        }
        most -= rill__linked(&watch->watch.on_readable.link) ||
                rill__linked(&watch->watch.on_writable.link);
    }
    self->poller.more = !rill__list_empty(&self->fired);
}

static void ev_watch_init(struct rill__poller *poller, struct rill__watch *base, int fd)
{
    struct ev_watch *watch = rill__container(base, struct ev_watch, watch);
    base->loop = poller->loop;
    base->fd = fd;
    ev_io_init(&watch->io, io_fired, fd, 0);
}

static void ev_watch_changed(struct rill__poller *poller, struct rill__watch *base)
{
    struct ev_poller *self = of(poller);
    struct ev_watch *watch = rill__container(base, struct ev_watch, watch);
    const int before = ev_is_active(&watch->io) ? watch->io.events & (EV_READ | EV_WRITE) : 0;
    int events = wanted_events(base);

    watch->revents &= events | EV_ERROR; /* whoever watches from now on has not been told */
    /* Who stops reading mostly reads again soon, or closes: the kernel is told when input has come
     * twice that nobody wanted. Two calls for a pause, or one for a close, are saved. */
    events |= self->own ? before & EV_READ : 0;
    if (events != before) {
        watch_events(self, watch, events);
    }
}

static void ev_watch_cleanup(struct rill__poller *poller, struct rill__watch *base)
{
    struct ev_watch *watch = rill__container(base, struct ev_watch, watch);
    watch_events(of(poller), watch, 0);
    rill__list_remove(&watch->fired);
}

static void set_deadline(struct ev_poller *self, double timeout_s)
{
    ev_timer_stop(self->ev, &self->deadline); /* active or not */
    if (timeout_s >= 0 && isfinite(timeout_s)) {
        ev_now_update(self->ev);
        ev_timer_set(&self->deadline, timeout_s, 0.);
        ev_timer_start(self->ev, &self->deadline);
    }
}

static void ev_wait(struct rill__poller *poller, double timeout_s)
{
    struct ev_poller *self = of(poller);
    if (timeout_s != 0) {
        set_deadline(self, timeout_s);
        ev_run(self->ev, EVRUN_ONCE);
    } else if (!poller->more) {
        ev_run(self->ev, EVRUN_NOWAIT);
    }
    queue_fired(self, FIRED_A_TURN);
}

static void ev_wake(struct rill__poller *poller)
{
    struct ev_poller *self = of(poller);
    ev_async_send(self->ev, &self->wake);
}

static bool ev_catch_sigint(struct rill__poller *poller, bool on)
{
    struct ev_poller *self = of(poller);
    struct sigaction action;

    if (!on) {
        ev_signal_stop(self->ev, &self->sigint);
        return true;
    }
    /* R-905 holds only where SIGINT is at its default; libev puts the default back at stop. */
    if (sigaction(SIGINT, NULL, &action) != 0 || action.sa_handler != SIG_DFL) {
        return false;
    }
    ev_signal_start(self->ev, &self->sigint);
    return true;
}

/* Inside an application's loop: a turn's first half runs just before libev polls, its second half
 * just after. */
static void adopted_prepare(struct ev_loop *ev, struct ev_prepare *prepare, int revents)
{
    struct ev_poller *self = rill__container(prepare, struct ev_poller, prepare);
    (void)revents;
    const double timeout_s = rill__turn_before_poll(self->poller.loop);
    if (timeout_s == 0) {
        ev_idle_start(ev, &self->idle);
        set_deadline(self, -1);
    } else {
        ev_idle_stop(ev, &self->idle);
        set_deadline(self, timeout_s);
    }
    const bool jobs = self->poller.loop->jobs > 0;
    if (jobs && !self->jobs_held) {
        ev_ref(ev);
    } else if (!jobs && self->jobs_held) {
        ev_unref(ev);
    }
    self->jobs_held = jobs;
}

static void adopted_check(struct ev_loop *ev, struct ev_check *check, int revents)
{
    struct ev_poller *self = rill__container(check, struct ev_poller, check);
    (void)ev;
    (void)revents;
    queue_fired(self, SIZE_MAX);
    rill__turn_after_poll(self->poller.loop);
}

static void adopt(struct ev_poller *self)
{
    ev_prepare_init(&self->prepare, adopted_prepare);
    ev_check_init(&self->check, adopted_check);
    ev_idle_init(&self->idle, nothing_idle);
    /* Behind every descriptor's callback of the same poll, so that all of them are recorded. */
    ev_set_priority(&self->check, EV_MINPRI);
    ev_set_priority(&self->idle, EV_MAXPRI);
    ev_prepare_start(self->ev, &self->prepare);
    ev_check_start(self->ev, &self->check);
    /* These three alone must not keep the application's ev_run from returning. */
    ev_unref(self->ev);
    ev_unref(self->ev);
    ev_unref(self->ev); /* wake */
}

static void ev_poller_free(struct rill__poller *poller)
{
    struct ev_poller *self = of(poller);
    set_deadline(self, -1);
    ev_async_stop(self->ev, &self->wake);
    if (self->own) {
        ev_loop_destroy(self->ev);
    } else {
        ev_ref(self->ev);
        ev_ref(self->ev);
        ev_ref(self->ev);
        ev_idle_stop(self->ev, &self->idle);
        ev_prepare_stop(self->ev, &self->prepare);
        ev_check_stop(self->ev, &self->check);
    }
    rill__free(self);
}

static const struct rill__poller_ops ev_ops = {
    .watch_size = sizeof(struct ev_watch),
    .watch_init = ev_watch_init,
    .watch_changed = ev_watch_changed,
    .watch_cleanup = ev_watch_cleanup,
    .wait = ev_wait,
    .wake = ev_wake,
    .catch_sigint = ev_catch_sigint,
    .free = ev_poller_free,
};

int rill__poller_ev_new(struct rill_loop *loop, struct ev_loop *ev, struct rill__poller **poller)
{
    struct ev_poller *self = rill__alloc_zeroed(sizeof *self);
    if (self == NULL) {
        return RILL_ENOMEM;
    }
    self->own = ev == NULL;
    /* Never the default loop: it takes SIGCHLD. */
    self->ev = ev != NULL ? ev : ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
    if (self->ev == NULL) {
        rill__free(self);
        return RILL_ENOMEM;
    }
    self->poller.ops = &ev_ops;
    self->poller.loop = loop;
    rill__list_init(&self->fired);
    ev_timer_init(&self->deadline, nothing_timer, 0., 0.);
    ev_signal_init(&self->sigint, sigint_fired, SIGINT);
    ev_async_init(&self->wake, nothing_async);
    ev_async_start(self->ev, &self->wake);
    if (!self->own) {
        adopt(self);
    }
    *poller = &self->poller;
    return 0;
}
