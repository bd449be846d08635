// SPDX-License-Identifier: MIT
//
// cxx.cc - what a C++ program needs of the system: unwinding through its own frames, threads and
// their storage, streams on files, and memory that ends in std::bad_alloc.
//
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "abi.h"

namespace
{

int alive; // objects that were made and not yet destroyed
thread_local std::vector<int> own;

struct Counted {
    Counted() { alive++; }
    ~Counted() { alive--; }
};

int dive(int depth)
{
    Counted here;
    if (depth == 0)
        throw std::runtime_error("bottom");
    return dive(depth - 1) + 1;
}

// Frames are unwound, and each one's objects destroyed; also out of a thread, by a future.
void exceptions()
{
    std::string what;
    try {
        dive(500);
    } catch (const std::exception &e) {
        what = e.what();
    }
    CHECK(what == "bottom" && alive == 0);
    std::future<int> later = std::async(std::launch::async, dive, 20);
    what = "";
    try {
        later.get();
    } catch (const std::runtime_error &e) {
        what = e.what();
    }
    CHECK(what == "bottom" && alive == 0);
    bool refused = false;
    try {
        volatile std::size_t most = std::size_t{1} << 46;
        delete[] new char[most];
    } catch (const std::bad_alloc &) {
        refused = true;
    }
    CHECK(refused);
}

void threads()
{
    std::mutex mutex;
    std::condition_variable all_in;
    std::map<std::thread::id, int> seen;
    std::atomic<int> sum{0};
    std::vector<std::thread> crew;
    constexpr int count = 6;
    for (int i = 0; i < count; i++) {
        crew.emplace_back([&, i] {
            for (int k = 0; k <= i; k++)
                own.push_back(k);
            std::unique_lock<std::mutex> lock(mutex);
            seen[std::this_thread::get_id()] = i;
            all_in.notify_all();
            all_in.wait(lock, [&] { return seen.size() == count; });
            sum += static_cast<int>(own.size());
        });
    }
    for (std::thread &t : crew)
        t.join();
    CHECK(seen.size() == count && sum == count * (count + 1) / 2 && own.empty());
    auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(20));
}

void streams()
{
    const char *path = "/tmp/abi-cxx";
    std::ostringstream text;
    {
        std::ofstream out(path);
        for (int i = 0; i < 2000; i++)
            out << i << ' ' << i * 0.5 << '\n';
    }
    CHECK(std::filesystem::file_size(path) > 10000);
    std::ifstream in(path);
    int lines = 0, i;
    double half, sum = 0;
    while (in >> i >> half) {
        lines++;
        sum += half;
    }
    CHECK(lines == 2000 && sum == 999500);
    CHECK(std::filesystem::remove(path) && !std::filesystem::exists(path));
    text << std::hex << 255 << ' ' << std::boolalpha << true;
    CHECK(text.str() == "ff true");
    std::cout << "a line by cout" << std::endl;
    CHECK(std::cout.good());
}

} // namespace

int main()
{
    exceptions();
    threads();
    streams();
    return report("cxx");
}
