/* SPDX-License-Identifier: MIT
 *
 * The start-up work: how long a server takes from fork to the first line that it has echoed, again
 * and again. Prints each start's milliseconds as JSON.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STARTS_MAX = 10000, LINE_BYTES = 64 };

struct server {
    pid_t pid;
    int output;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "start: %s\n", what);
    exit(EXIT_FAILURE);
}

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

/* The child. It goes when this program does, which dies of a server that is wrong. */
static _Noreturn void become(char **command, int cpu, int output)
{
    cpu_set_t cpus;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    CPU_ZERO(&cpus);
    if (cpu >= 0) {
        CPU_SET((size_t)cpu, &cpus);
        (void)sched_setaffinity(0, sizeof cpus, &cpus);
    }
    dup2(output, STDOUT_FILENO);
    execv(command[0], command);
    die("cannot execute the server");
}

static struct server start(char **command, int cpu)
{
    int ends[2];
    if (pipe(ends) != 0) {
        die("pipe");
    }
    const pid_t pid = fork();
    if (pid < 0) {
        die("fork");
    }
    if (pid == 0) {
        close(ends[0]);
        become(command, cpu, ends[1]);
    }
    close(ends[1]);
    return (struct server){.pid = pid, .output = ends[0]};
}

/* Receives up to and including a newline. */
static void read_line(int fd, char *line, size_t size, int silence_ms)
{
    size_t length = 0;
    while (length == 0 || line[length - 1] != '\n') {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        const ssize_t got =
            poll(&wait, 1, silence_ms) == 1 ? read(fd, line + length, size - 1 - length) : 0;
        if (got <= 0) {
            die("the server did not start, or did not answer");
        }
        length += (size_t)got;
    }
    line[length] = '\0';
}

static void echo_line(int port, int silence_ms)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char line[LINE_BYTES + 1];
    char answer[LINE_BYTES + 1];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memset(line, 'x', LINE_BYTES);
    line[LINE_BYTES - 1] = '\n';
    line[LINE_BYTES] = '\0';
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        send(fd, line, LINE_BYTES, MSG_NOSIGNAL) != LINE_BYTES) {
        die("cannot connect");
    }
    read_line(fd, answer, sizeof answer, silence_ms);
    if (strcmp(answer, line) != 0) {
        die("wrong answer");
    }
    close(fd);
}

static double start_once(char **command, int cpu, int silence_ms)
{
    char line[128];
    int port;
    const double begin_ms = now_ms();
    const struct server server = start(command, cpu);
    read_line(server.output, line, sizeof line, silence_ms);
    if (sscanf(line, "listening port=%d", &port) != 1) {
        die("the server did not say its port");
    }
    echo_line(port, silence_ms);
    const double took_ms = now_ms() - begin_ms;
    kill(server.pid, SIGTERM);
    waitpid(server.pid, NULL, 0);
    close(server.output);
    return took_ms;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: %s SECONDS SILENCE-MS PROCESSOR|-1 SERVER [ARGUMENT ...]\n",
                argv[0]);
        return 2;
    }
    const double end_ms = now_ms() + 1e3 * atof(argv[1]);
    int starts = 0;
    printf("{\"ms\": [");
    do {
        printf("%s%.4f", starts == 0 ? "" : ", ",
               start_once(argv + 4, atoi(argv[3]), atoi(argv[2])));
        starts++;
    } while (now_ms() < end_ms && starts < STARTS_MAX);
    printf("]}\n");
    return EXIT_SUCCESS;
}
