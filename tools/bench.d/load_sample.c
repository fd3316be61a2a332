/* SPDX-License-Identifier: MIT
 *
 * Reads the clocks and counters of a measured window: the server's from outside, so that every
 * server, whatever its language, is measured by the same means and does nothing for it.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) {
        load_die("clock_gettime: the server is gone");
    }
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

double load_now_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

/* The whole of a small file of /proc, NUL-terminated. */
static void read_proc(const char *path, char *text, size_t size)
{
    FILE *const file = fopen(path, "r");
    if (file == NULL) {
        load_die("cannot read %s", path);
    }
    const size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
}

static uint64_t involuntary_switches(const char *path)
{
    char text[8192];
    static const char label[] = "nonvoluntary_ctxt_switches:";
    read_proc(path, text, sizeof text);
    const char *const field = strstr(text, label);
    return field == NULL ? 0 : strtoull(field + strlen(label), NULL, 10);
}

/* The second figure of schedstat; 0 where the kernel does not keep it. */
static double waited_s(const char *path)
{
    char text[256];
    unsigned long long waited_ns = 0;
    FILE *const file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(text, sizeof text, file) == NULL || sscanf(text, "%*u %llu", &waited_ns) != 1) {
            waited_ns = 0;
        }
        fclose(file);
    }
    return 1e-9 * (double)waited_ns;
}

/* utime and stime are the 14th and 15th field; the second, the name, may hold blanks and ends at
 * the last parenthesis. */
static void read_cpu_split(pid_t pid, double tick_s, struct load_sample *sample)
{
    char path[64];
    char text[4096];
    unsigned long long user = 0;
    unsigned long long system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    read_proc(path, text, sizeof text);
    const char *const name_end = strrchr(text, ')');
    if (name_end == NULL ||
        sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
               &system) != 2) {
        load_die("cannot understand %s", path);
    }
    sample->server_user_s = (double)user * tick_s;
    sample->server_system_s = (double)system * tick_s;
}

/* The eighth figure of the first line, `cpu user nice system idle iowait irq softirq steal`. */
static double steal_s(double tick_s)
{
    char text[1024];
    unsigned long long steal = 0;
    read_proc("/proc/stat", text, sizeof text);
    if (sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal) != 1) {
        return 0;
    }
    return (double)steal * tick_s;
}

void load_take_sample(const struct load_options *options, struct load_sample *sample)
{
    char path[64];
    clockid_t clock;
    const double tick_s = 1.0 / (double)sysconf(_SC_CLK_TCK);
    snprintf(path, sizeof path, "/proc/%ld/status", (long)options->pid);
    if (clock_getcpuclockid(options->pid, &clock) != 0) {
        load_die("the server is gone");
    }
    read_cpu_split(options->pid, tick_s, sample);
    sample->steal_s = steal_s(tick_s);
    sample->server_involuntary = involuntary_switches(path);
    sample->load_involuntary = involuntary_switches("/proc/self/status");
    sample->load_waited_s = waited_s("/proc/self/schedstat");
    snprintf(path, sizeof path, "/proc/%ld/schedstat", (long)options->pid);
    sample->server_waited_s = waited_s(path);
    sample->load_cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    sample->server_cpu_s = seconds_of(clock);
    sample->wall_s = load_now_s();
}

/* The figure of a line `Name:  123 kB`, in bytes. */
static uint64_t field_bytes(const char *text, const char *name)
{
    const char *const field = strstr(text, name);
    if (field == NULL) {
        load_die("smaps_rollup has no %s", name);
    }
    return 1024 * strtoull(field + strlen(name), NULL, 10);
}

void load_take_memory(const struct load_options *options, struct load_sample *sample)
{
    char path[64];
    char text[8192];
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)options->pid);
    read_proc(path, text, sizeof text);
    sample->server_rss_bytes = field_bytes(text, "\nRss:");
    sample->server_private_bytes = field_bytes(text, "\nPrivate_Clean:") +
                                   field_bytes(text, "\nPrivate_Dirty:") +
                                   field_bytes(text, "\nSwap:");
}
