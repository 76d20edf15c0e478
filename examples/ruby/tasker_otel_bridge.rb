# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

require "json"
require "net/http"
require "securerandom"
require "time"
require "uri"
require "zlib"

# Sends every event of a Tasker engine to an otelcol-tasker collector.
#
# Copy this file to app/subscribers/, and start it when the application is up (config/initializers/tasker_otel.rb):
#
#   Rails.application.config.after_initialize { TaskerOtelBridge.start }
#
# The publishing thread only copies the event into a bounded queue: it never waits, and no error is
# raised there. A thread of each process sends queued events in batches, and retries while the collector is unavailable.
# Each event has an id, so that resent events count once. Dropped events are counted: TaskerOtelBridge.stats.
#
# README.md documents the settings. Requires Ruby 3.0 or later, and no gem.
module TaskerOtelBridge
  # Settings from the environment, overridden by the block of start.
  class Config
    # Payload keys of inputs and results, often large or personal, which the collector removes too.
    BULKY = %w[task_context step_inputs step_results error_step_results].freeze

    # The address for events (several comma-separated ones share the tasks), the application's name and
    # namespace, additional request headers.
    attr_accessor :url, :service, :namespace, :headers
    # Maximum queued events, maximum events per request, and seconds that a batch waits for more events.
    attr_accessor :queue_size, :batch_size, :flush_interval
    # Maximum seconds that the process' exit is delayed to send queued events.
    attr_accessor :shutdown_timeout
    # Limits of an event: bytes of all texts and keys, number of values, and nesting depth.
    attr_accessor :max_event_bytes, :max_values, :max_depth
    # Payload keys to omit.
    attr_accessor :omit
    # A logger; by default Rails.logger, or standard error.
    attr_accessor :logger
    # Callables: Unix time in nanoseconds; the correlation id and the W3C traceparent of the current thread, or nil.
    attr_accessor :clock, :correlation_id, :traceparent
    attr_accessor :enabled

    def initialize(env = ENV)
      @url = env.fetch("TASKER_OTEL_URL", "http://localhost:4319/v1/events")
      @service = env["TASKER_OTEL_SERVICE"] || env["OTEL_SERVICE_NAME"] || Config.application
      @namespace = env["TASKER_OTEL_NAMESPACE"]
      @headers = Config.pairs(env["TASKER_OTEL_HEADERS"])
      @queue_size = Config.number(env["TASKER_OTEL_QUEUE_SIZE"], 10_000)
      @batch_size = Config.number(env["TASKER_OTEL_BATCH_SIZE"], 500)
      @flush_interval = Config.number(env["TASKER_OTEL_FLUSH_INTERVAL"], 0.5)
      @shutdown_timeout = Config.number(env["TASKER_OTEL_SHUTDOWN_TIMEOUT"], 5)
      @max_event_bytes = Config.number(env["TASKER_OTEL_MAX_EVENT_BYTES"], 32_768)
      @max_values = 2_000
      @max_depth = 16
      @omit = env.key?("TASKER_OTEL_OMIT") ? env["TASKER_OTEL_OMIT"].split(",").map(&:strip) : BULKY
      @enabled = !%w[0 false no off].include?(env.fetch("TASKER_OTEL_ENABLED", "true").downcase)
      @clock = -> { Process.clock_gettime(Process::CLOCK_REALTIME, :nanosecond) }
      @correlation_id = -> { Thread.current[:tasker_correlation_id] }
      @traceparent = Config.method(:current_traceparent)
    end

    # The mistakes in the settings, each with value and remedy.
    def mistakes
      wrong = []
      wrong << "url is #{url.inspect}: name where events are posted, such as http://localhost:4319/v1/events" unless posts?
      wrong << "service is #{service.inspect}: name the application" if service.to_s.empty?
      %i[queue_size batch_size max_event_bytes max_values max_depth].each do |key|
        value = public_send(key)
        wrong << "#{key} is #{value.inspect}: give a whole number of at least 1" unless Integer === value && value.positive?
      end
      %i[flush_interval shutdown_timeout].each do |key|
        value = public_send(key)
        wrong << "#{key} is #{value.inspect}: give seconds" unless Numeric === value && !value.negative?
      end
      wrong
    end

    # The text as a number, or unchanged, for the error message.
    def self.number(text, otherwise)
      text.nil? ? otherwise : Integer(text, exception: false) || Float(text, exception: false) || text
    end

    # The name of the Rails application, or of the program.
    def self.application
      if defined?(::Rails) && ::Rails.respond_to?(:application) && ::Rails.application
        ::Rails.application.class.name.split("::").first.gsub(/([a-z0-9])([A-Z])/, '\1_\2').downcase
      else
        File.basename($PROGRAM_NAME, ".*")
      end
    end

    def urls = url.to_s.split(",").map(&:strip)

    def posts?
      !urls.empty? && urls.all? do |each|
        uri = URI(each)
        URI::HTTP === uri && !uri.hostname.to_s.empty? # includes HTTPS
      end
    rescue URI::Error
      false
    end
    private :posts?

    # "key=value,key=value", as in OTEL_EXPORTER_OTLP_HEADERS.
    def self.pairs(text)
      text.to_s.split(",").to_h do |pair|
        key, value = pair.split("=", 2)
        [key.strip, URI.decode_www_form_component(value.to_s.strip)]
      end
    end

    # The context of the current span, if the application has OpenTelemetry.
    def self.current_traceparent
      return unless defined?(::OpenTelemetry::Trace)

      context = ::OpenTelemetry::Trace.current_span.context
      return unless context.valid?

      "00-#{context.hex_trace_id}-#{context.hex_span_id}-#{context.trace_flags.sampled? ? '01' : '00'}"
    end
  end

  # Copies a payload into plain data that is safe to retain, to pass to another thread and to write as JSON. Objects of the
  # application are named without calling them: a model's to_json may query the database, and a relation's each does.
  class Plain
    CUT = "[cut]"
    CYCLE = "[cycle]"

    def initialize(config)
      @bytes = config.max_event_bytes
      @values = config.max_values
      @max_depth = config.max_depth
      @omit = config.omit
      @path = []
    end

    # The payload with string keys, without omitted keys and nil. Short values come first, so that a task keeps its id
    # and a step its name.
    def payload(payload)
      return payload.nil? ? {} : { "value" => value(payload) } unless Hash === payload

      @path << payload
      plain = {}
      long = nil
      payload.to_a.each do |key, member| # a copy, because a hash cannot grow during iteration
        next if nil.equal?(member) # without calling it

        key = Symbol === key ? key.name : text(key.to_s)
        next if @omit.include?(key)

        short?(member) ? plain[key] = value(member) : (long ||= {})[key] = member
      end
      long&.each { |key, member| plain[key] = value(member) }
      plain
    end

    private

    SHORT = 256
    private_constant :SHORT

    def short?(of)
      case of
      when String then of.bytesize <= SHORT
      when Hash, Array, Struct then false
      else true
      end
    end

    def value(of)
      return CUT if (@values -= 1).negative?

      case of
      when String then text(of)
      when Integer, nil, true, false then of
      when Symbol then text(of.name)
      when Float then of.finite? ? of : of.to_s
      when Hash, Array, Struct then container(of)
      else named(of)
      end
    end

    # Strings are copied on write.
    def text(of)
      of = String.new(of) if of.class != String # such as SafeBuffer
      of = utf8(of) unless (of.encoding == Encoding::UTF_8 || of.encoding == Encoding::US_ASCII) && of.valid_encoding?
      if (@bytes -= of.bytesize).negative?
        of = of.byteslice(0, [of.bytesize + @bytes, 0].max).scrub("") + CUT
        @bytes = 0
      end
      of.frozen? ? of : of.dup
    end

    def utf8(of)
      return of.scrub if of.encoding == Encoding::UTF_8
      return of.dup.force_encoding(Encoding::UTF_8).scrub if of.encoding == Encoding::BINARY

      of.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
    end

    def container(of)
      return CUT if @path.size >= @max_depth
      return CYCLE if @path.any? { |outer| outer.equal?(of) }

      @path << of
      plain =
        case of
        when Array then of.take(@values + 1).map { |member| value(member) }
        when Hash then of.to_a.to_h { |key, member| [text(Symbol === key ? key.name : key.to_s), value(member)] }
        else of.to_h.to_h { |key, member| [text(key.name), value(member)] }
        end
      @path.pop
      plain
    end

    def named(of)
      case of
      when Time then text(of.getutc.iso8601(9))
      when DateTime then text(of.iso8601(9))
      when Date then text(of.iso8601)
      when Exception then text("#{of.class}: #{of.message}")
      when Module then text(of.name.to_s)
      when Numeric then number(of)
      else object(of)
      end
    rescue StandardError
      "[unreadable]"
    end

    # BigDecimal is written completely and without an exponent, Rational as a fraction.
    def number(of)
      decimal = defined?(::BigDecimal) && ::BigDecimal === of
      text(decimal && of.finite? ? of.to_s("F") : of.to_s)
    end

    # ActiveSupport's times and durations are instances of what they represent; models have a key.
    def object(of)
      name = of.class.name.to_s
      case name
      when "ActiveSupport::TimeWithZone" then text(of.getutc.iso8601(9))
      when "ActiveSupport::Duration" then of.to_f
      when "Set" then value(of.to_a)
      else text(of.respond_to?(:to_key) && of.respond_to?(:id) ? "#{name}##{of.id}" : name)
      end
    end
  end

  # Posts batches over one persistent connection.
  class Connection
    Answer = Struct.new(:status, :body, :retry_after)

    def initialize(config, url)
      @uri = URI(url)
      @headers = { "Content-Type" => "application/x-ndjson", "Content-Encoding" => "gzip",
                   "User-Agent" => "tasker-otel-bridge" }.merge(config.headers)
      @http = nil
    end

    def post(lines)
      untraced do
        request = Net::HTTP::Post.new(@uri.request_uri, @headers)
        request.body = Zlib.gzip(lines, level: Zlib::BEST_SPEED)
        response = http.request(request)
        Answer.new(response.code.to_i, response.body, response["Retry-After"])
      end
    rescue StandardError
      close
      raise
    end

    def close
      @http&.finish if @http&.started?
    rescue IOError
      nil # already closed
    ensure
      @http = nil
    end

    private

    def http
      return @http if @http

      http = Net::HTTP.new(@uri.hostname, @uri.port)
      http.use_ssl = @uri.scheme == "https"
      http.open_timeout = 3
      http.read_timeout = http.write_timeout = 15
      http.keep_alive_timeout = 30
      http.max_retries = 0
      @http = http.start
    end

    # Requests of the bridge are not traced.
    def untraced(&block)
      if defined?(::OpenTelemetry::Common::Utilities) && ::OpenTelemetry::Common::Utilities.respond_to?(:untraced)
        ::OpenTelemetry::Common::Utilities.untraced(&block)
      else
        block.call
      end
    end
  end

  # The queue of a process, and the thread that empties it. A fork begins with an empty queue: its parent
  # sends what it has queued.
  class Sender
    MAX_BATCH_BYTES = 4 << 20
    FIRST_PAUSE = 0.5
    LONGEST_PAUSE = 30.0
    # Retryable statuses. 401, 403 and 404 are configuration mistakes that may be corrected.
    COME_BACK = [401, 403, 404, 408, 425, 429, 502, 503, 504].freeze
    LOG_EVERY = 60.0

    def initialize(config, url)
      @config = config
      @url = url
      @fork_lock = Mutex.new
      @prefix = JSON.generate({ "service" => config.service, "namespace" => config.namespace }.compact)[1..-2]
      begin_process
    end

    # Called by the application's threads. It returns immediately, and never raises.
    def publish(name, payload)
      # Exceptions raised by a Timeout or another thread belong to the application and are deferred.
      Thread.handle_interrupt(StandardError => :never) do
        at = @config.clock.call
        after_fork if @pid != Process.pid
        if @stopped
          drop(:stopped)
        elsif @queue.size >= @config.queue_size
          drop(:queue_full)
        else
          @queue << [name, at, @config.correlation_id.call, @config.traceparent.call, Plain.new(@config).payload(payload)]
          start_thread unless @thread&.alive?
          @wake.signal if @queue.size == @config.batch_size
        end
      rescue StandardError => e
        fail_to_take(name, e)
      end
      nil
    end

    # Waits until everything published before is sent or dropped. Returns false after the timeout.
    def flush(timeout)
      deadline = now + timeout
      until idle?
        return false if now >= deadline

        @mutex.synchronize { @wake.signal }
        sleep(0.01)
      end
      true
    end

    # Sends queued events within the time limit, and accepts no more.
    def stop(timeout)
      return if @pid != Process.pid || @stopped # nothing was published in this process

      @deadline = now + timeout
      @stopped = true
      thread = @thread
      return unless thread&.alive?

      @mutex.synchronize { @wake.broadcast }
      return if thread.join(timeout + 0.5)

      left = @queue.size + @taken
      thread.kill
      return if left.zero?

      drop(:exit, left)
      log(:warn, "#{left} events were not sent before the end of the process", force: true)
    end

    def stats
      @mutex.synchronize { @counts.merge(dropped: @drops.dup, waiting: @queue.size + @taken) }
    end

    private

    def begin_process
      @queue = Thread::Queue.new
      @mutex = Mutex.new
      @wake = ConditionVariable.new
      @counts = { sent: 0, requests: 0, retries: 0 }
      @drops = Hash.new(0)
      @taken = 0 # events that the thread is sending
      @thread = nil
      @token = SecureRandom.hex(8)
      @number = 0
      @stopped = false
      @deadline = nil
      @logged_at = nil
      @pid = Process.pid # last, because other threads read it
    end

    def after_fork
      @fork_lock.synchronize { begin_process if @pid != Process.pid }
    end

    def start_thread
      @mutex.synchronize do
        next if @thread&.alive?

        @thread = Thread.new { run }
        @thread.name = "tasker-otel-bridge"
        @thread.report_on_exception = false
      end
    end

    # In a signal handler, even counting may be impossible.
    def fail_to_take(name, error)
      drop(:error)
      log(:warn, "could not take #{name}: #{error.class}: #{error.message}")
    rescue StandardError
      nil
    end

    def idle? = @queue.empty? && @taken.zero?

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def drop(reason, count = 1)
      @mutex.synchronize { @drops[reason] += count }
      log(:warn, "dropped #{count} events: #{reason}")
    end

    def count(key, by = 1) = @mutex.synchronize { @counts[key] += by }

    # Once a minute, so that an unavailable collector does not fill the log.
    def log(level, message, force: false)
      return if !force && @logged_at && now - @logged_at < LOG_EVERY

      @logged_at = now
      logger = @config.logger || (defined?(::Rails) && ::Rails.respond_to?(:logger) && ::Rails.logger)
      logger ? logger.public_send(level, "TaskerOtelBridge: #{message}") : Kernel.warn("TaskerOtelBridge: #{message}")
    rescue StandardError
      nil
    end

    # The thread. It ends after stop.
    def run
      connection = Connection.new(@config, @url)
      until @stopped && @queue.empty?
        pause(@config.flush_interval) if !@stopped && @queue.size < @config.batch_size
        begin
          lines = take
          send_batch(connection, lines) unless lines.empty?
        rescue StandardError => e
          drop(:error, @taken)
          log(:warn, "#{e.class}: #{e.message}")
        ensure
          @taken = 0
        end
      end
      connection.close
    end

    # Waits until it is woken or stopped.
    def pause(seconds)
      @mutex.synchronize { @wake.wait(@mutex, seconds) unless @stopped }
    end

    # Waits until the time is over or it is stopped.
    def rest(seconds)
      till = now + seconds
      while !@stopped && (left = till - now).positive?
        pause(left)
      end
    end

    # The next events as lines of JSON.
    def take
      lines = []
      bytes = 0
      while lines.size < @config.batch_size && bytes < MAX_BATCH_BYTES && !@queue.empty?
        @taken += 1
        line = line_of(*@queue.pop)
        next @taken -= 1 unless line

        lines << line
        bytes += line.bytesize
      end
      lines
    end

    def line_of(name, at, correlation_id, traceparent, payload)
      item = { "event" => name, "occurred_at" => Time.at(0, at, :nsec).utc.iso8601(9), "id" => "#{@token}-#{@number += 1}" }
      item["correlation_id"] = correlation_id.to_s if correlation_id
      item["traceparent"] = traceparent if traceparent
      item["payload"] = payload
      text = JSON.generate(item)
      text[0] = "{#{@prefix},"
      text
    rescue StandardError => e
      drop(:error)
      log(:warn, "could not write #{name}: #{e.class}: #{e.message}")
      nil
    end

    # Posts the lines until they are accepted or permanently refused.
    def send_batch(connection, lines)
      tries = 0
      loop do
        answer, failure = attempt(connection, lines)
        if answer && !COME_BACK.include?(answer.status)
          settle(connection, lines, answer)
          return
        end
        tries += 1
        count(:retries)
        log(:warn, "the collector at #{@url} #{failure || "answers #{answer.status}"}; trying again")
        wait = pause_before(tries, answer)
        if @stopped
          left = @deadline - now
          return drop(:exit, lines.size) if left <= 0

          sleep([wait, left / 2, 1].min)
        else
          rest(wait)
        end
      end
    end

    def attempt(connection, lines)
      count(:requests)
      connection.post(lines.join("\n"))
    rescue StandardError => e
      [nil, "cannot be reached (#{e.class}: #{e.message})"]
    end

    # Processes a final response.
    def settle(connection, lines, answer)
      case answer.status
      when 200..299
        refused = refusals(answer)
        count(:sent, lines.size - refused)
        drop(:refused, refused) if refused.positive?
      when 413
        return drop(:refused, lines.size) if lines.size == 1

        lines.each_slice((lines.size + 1) / 2) { |half| send_batch(connection, half) }
      else
        log(:warn, "the collector refuses events: #{answer.status} #{answer.body.to_s[0, 300]}", force: true)
        drop(:refused, lines.size)
      end
    end

    # The number of refused items in a partially accepted batch.
    def refusals(answer)
      told = JSON.parse(answer.body.to_s)
      refused = told.fetch("refused_count", 0)
      log(:warn, "the collector refuses #{refused} events, first: #{told["refused"]&.first}", force: true) if refused.positive?
      refused
    rescue JSON::ParserError
      0
    end

    # Exponential backoff with jitter, at least as long as Retry-After.
    def pause_before(tries, answer)
      pause = [FIRST_PAUSE * 2**[tries - 1, 10].min, LONGEST_PAUSE].min * rand(0.5..1.0)
      asked = answer&.retry_after
      return pause unless asked

      asked = asked.match?(/\A\d+\z/) ? asked.to_f : Time.httpdate(asked) - Time.now
      [pause, [asked, LONGEST_PAUSE].min].max
    rescue ArgumentError
      pause
    end
  end

  # One sender per collector. All events of a task are sent to the same one, from every process, because the collector
  # assembles a task from all of its events.
  class Senders
    def initialize(config)
      @senders = config.urls.map { |url| Sender.new(config, url) }
    end

    def publish(name, payload) = @senders[share_of(payload)].publish(name, payload)

    def flush(timeout) = each_at_once { |sender| sender.flush(timeout) }.all?

    def stop(timeout) = each_at_once { |sender| sender.stop(timeout) }

    def stats
      @senders.map(&:stats).reduce do |sum, stats|
        sum.merge(stats) { |_, a, b| Hash === a ? a.merge(b) { |_, x, y| x + y } : a + b }
      end
    end

    private

    # The same number in every process and version.
    def share_of(payload)
      task_id = Hash === payload ? payload[:task_id] || payload["task_id"] : nil
      Zlib.crc32(task_id.to_s) % @senders.size
    rescue StandardError
      0
    end

    def each_at_once(&block) = @senders.map { |sender| Thread.new { block.call(sender) } }.map(&:value)
  end

  class << self
    # Starts sending the publisher's events. Later calls only subscribe to newly registered events. The block
    # gets the settings.
    def start(publisher = ::Tasker::Events::Publisher.instance)
      @lock ||= Mutex.new
      @lock.synchronize do
        unless @sender
          config = Config.new
          yield config if block_given?
          return self unless config.enabled

          wrong = config.mistakes
          unless wrong.empty?
            # A mistake must not stop the application.
            wrong.each { |mistake| Kernel.warn("TaskerOtelBridge is not started: #{mistake}") }
            return self
          end
          @heard = {}
          @sender = config.urls.one? ? Sender.new(config, config.urls.first) : Senders.new(config)
          at_exit { stop(config.shutdown_timeout) }
        end
        event_names.each { |name| hear(publisher, name) }
      end
      self
    end

    # Sends an event that no publisher fires, with the current time. Returns false if the bridge is not started.
    def publish(name, payload)
      sender = @sender or return false
      sender.publish(name, payload)
      true
    end

    # Counts of this process: sent, requests, retries, waiting, and dropped by reason.
    def stats = @sender&.stats

    # Waits until published events are sent, at most that many seconds. For processes that end with exit!.
    def flush(timeout = 5) = @sender ? @sender.flush(timeout) : true

    # Sends queued events and accepts no more. Called automatically when the process exits.
    def stop(timeout = 5) = @sender&.stop(timeout)

    # Resets everything except the subscriptions, which belong to the publisher. For tests.
    def reset!
      stop(0)
      @sender = nil
    end

    # Names of all events: Tasker's constants, and the catalog with the application's events.
    def event_names
      names = defined?(::Tasker::Constants) ? constants_of(::Tasker::Constants, []) : []
      if defined?(::Tasker::Events)
        %i[catalog custom_events].each do |list|
          next unless ::Tasker::Events.respond_to?(list)

          known = ::Tasker::Events.public_send(list)
          names.concat((known.respond_to?(:keys) ? known.keys : Array(known)).map(&:to_s))
        end
      end
      names.uniq
    end

    private

    EVENT_NAME = /\A[a-z0-9_]+(\.[a-z0-9_]+)+\z/.freeze
    private_constant :EVENT_NAME

    def constants_of(mod, seen)
      return [] if seen.include?(mod)

      seen << mod
      mod.constants(false).flat_map do |constant|
        case value = mod.const_get(constant)
        when String then value.match?(EVENT_NAME) ? [value] : []
        when Module then value.name.to_s.start_with?("Tasker::Constants") ? constants_of(value, seen) : []
        else []
        end
      end
    end

    # Unknown to the publisher: this engine never fires it.
    def hear(publisher, name)
      return if @heard[name]

      sender = @sender
      publisher.subscribe(name) { |event| sender.publish(name, event.payload) }
      @heard[name] = true
    rescue StandardError
      nil
    end
  end
end
