-- The statements that read a telemetry table. Words in {braces} are filled in by code: quoted names of the
-- assistant's table and columns, and the fragments that stand first here. Values are :named parameters.

-- name: moment
-- The time in {column} as microseconds since 1970: ISO 8601 text, or seconds or milliseconds since 1970 (a number,
-- or a number written as text; from 2001 to 2255, so that the two cannot be confused). NULL if it is none of these.
-- A text without an offset is taken as it stands; the fragment `local` tells which those are. At most 59 characters count.
-- The commonest texts (UTC, or no offset) come first: what follows ELSE reads them as well, and costs twice as much.
CASE
    WHEN typeof({column}) = 'text'
        AND {column} GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9]*'
        AND substr({column}, 12, 2) < '24'
        AND (
            substr({column}, 9, 2) < '29'
            OR strftime('%d', substr({column}, 1, 10), '+0 days') = substr({column}, 9, 2)
        )
        AND (
            substr({column}, 20, 40) IN ('', 'Z', '+00:00')
            OR substr({column}, 20, 2) GLOB '.[0-9]'
            AND ltrim(substr({column}, 21, 39), '0123456789') IN ('', 'Z', '+00:00')
        )
    THEN strftime('%s', substr({column}, 1, 19)) * 1000000
        + CAST(CAST(substr({column}, 20, 7) AS REAL) * 1000000 + 0.5 AS INTEGER)
    ELSE (
        SELECT CASE
            WHEN number >= 1e9 AND number < 9e9 THEN CAST(number * 1000000 + 0.5 AS INTEGER)
            WHEN number >= 1e12 AND number < 9e12 THEN CAST(number * 1000 + 0.5 AS INTEGER)
            WHEN number IS NULL
                AND strftime('%Y-%m-%dT%H:%M:%S', whole, '+0 seconds') = replace(whole, ' ', 'T')
                AND (fraction = '' OR fraction GLOB '.[0-9]*' AND substr(fraction, 2) NOT GLOB '*[^0-9]*')
            THEN strftime('%s', whole || offset) * 1000000
                + CAST(substr(substr(fraction, 2) || '000000', 1, 6) AS INTEGER)
        END
        FROM (
            SELECT number, whole, substr(tail, 1, length(tail) - width) AS fraction,
                CASE width
                    WHEN 0 THEN ''
                    WHEN 1 THEN 'Z'
                    WHEN 3 THEN substr(tail, -3) || ':00'
                    ELSE substr(tail, -width, 3) || ':' || substr(tail, -2)
                END AS offset
            FROM (
                SELECT number, whole, tail,
                    CASE
                        WHEN tail GLOB '*Z' THEN 1
                        WHEN tail GLOB '*[-+][0-9][0-9]' THEN 3
                        WHEN tail GLOB '*[-+][0-9][0-9][0-9][0-9]' THEN 5
                        WHEN tail GLOB '*[-+][0-9][0-9]:[0-9][0-9]' THEN 6
                        ELSE 0
                    END AS width
                FROM (
                    SELECT substr({column}, 1, 19) AS whole, substr({column}, 20, 40) AS tail,
                        CASE typeof({column})
                            WHEN 'integer' THEN {column}
                            WHEN 'real' THEN {column}
                            WHEN 'text' THEN CASE
                                WHEN {column} GLOB '[0-9]*' AND substr({column}, 1, 59) NOT GLOB '*[^0-9.]*'
                                THEN CAST(substr({column}, 1, 59) AS NUMERIC)
                            END
                            ELSE 0
                        END AS number
                )
            )
        )
    )
END

-- name: local
-- 1 if {column} is a text without an offset, which means local time in the zone of the telemetry.
(typeof({column}) = 'text' AND substr({column}, 5, 1) = '-' AND substr({column}, 20, 40) NOT GLOB '*[-+Z]*')

-- name: near
-- A rough range on the bare column, which an index can serve; the exact comparison follows on what is left.
-- The third line is for numbers written as text, in seconds or (same first digits) in milliseconds.
(
    {column} >= :day_from AND {column} < :day_to
    OR {column} >= :digits_from AND {column} < :digits_to
    OR {column} >= :seconds_from AND {column} < :seconds_to
    OR {column} >= 1000 * :seconds_from AND {column} < 1000 * :seconds_to
)

-- name: hour
-- The time in {column}, as far as a count needs it: the full hour, if the text has the form :usual and no end of a window
-- is within that hour. So rows are first counted by hours, and only the hours are compared with windows.
CASE
    WHEN typeof({column}) = 'text' AND {column} GLOB :usual
        AND substr({column}, 1, 13) NOT IN (SELECT value FROM json_each(:edges))
    THEN substr({column}, 1, 13) || ':00:00' || :offset
    WHEN typeof({column}) IN ('text', 'blob') THEN substr({column}, 1, 59)
    ELSE {column}
END

-- name: instant
-- The time in {column} for a record: the text itself if it has the form :usual, which is UTC; else its `moment`, or for a
-- local time that as a text after the letter L.
CASE
    WHEN typeof({column}) = 'text' AND {column} GLOB :usual THEN {column}
    WHEN {local} THEN 'L' || {moment}
    ELSE {moment}
END

-- name: label
-- A short text, whatever type it is stored as.
substr(CAST({column} AS TEXT), 1, 200)

-- name: capped
-- A long text without its middle, so that no row fills the memory; what remains is cut exactly after redaction.
CASE
    WHEN length(CAST({column} AS BLOB)) > 300000
    THEN substr(CAST({column} AS BLOB), 1, 150000) || substr(CAST({column} AS BLOB), -150000)
    ELSE {column}
END

-- name: relations
SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name

-- name: columns
SELECT name FROM pragma_table_xinfo(:table) WHERE hidden <> 1

-- name: without_rowid
-- 1 if the rows have no row ids: then the primary key is an index that does not end in one.
SELECT COUNT(*) AS tables
FROM pragma_index_list(:table) AS i
WHERE i.origin = 'pk' AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(i.name) WHERE cid = -1)

-- name: newest
SELECT substr(CAST({created_at} AS TEXT), 1, 200) AS written, {moment} AS moment, {local} AS local
FROM {table} AS t
ORDER BY {newest} DESC
LIMIT 100

-- name: size
-- The number of rows, as far as it matters.
SELECT COUNT(*) AS count FROM (SELECT 1 FROM {table} LIMIT 1000000)

-- name: statuses
SELECT DISTINCT {status} AS status FROM {table} AS t WHERE {status} IS NOT NULL LIMIT 200

-- name: first_row
SELECT min({key}) AS rowid FROM {table} AS t

-- name: last_row
-- A statement of its own: SQLite scans the table for one that asks for both ends.
SELECT max({key}) AS rowid FROM {table} AS t

-- name: samples
-- The first row at or after each of :places, a JSON list of row ids.
SELECT {key} AS rowid, {moment} AS moment, {local} AS local
FROM json_each(:places) AS place CROSS JOIN {table} AS t
WHERE {key} = (SELECT min({key}) FROM {table} AS t WHERE {key} >= place.value)

-- name: status_counts
-- Tasks by kind and status for each of :windows, a JSON list of {{"start", "end", "local_start", "local_end"}} in
-- microseconds since 1970; the local ones are for times without an offset. `place` is the position in that list.
-- With :remarks = 1 there are lines besides for the rows whose time cannot be read (place -1), is before :sane_from (-2)
-- or is not before :sane_to (-3), with an example in place of the status, and for all that were looked at (-4).
WITH windows AS MATERIALIZED (
    SELECT key AS place,
        json_extract(value, '$.start') AS start, json_extract(value, '$.end') AS end_,
        json_extract(value, '$.local_start') AS local_start, json_extract(value, '$.local_end') AS local_end
    FROM json_each(:windows)
),
hours AS MATERIALIZED (
    SELECT {kind} AS kind, coalesce({status}, 'unknown') AS status, {hour} AS hour, COUNT(*) AS count
    FROM {table} AS t
    WHERE {rows}
    GROUP BY 1, 2, 3
),
moments AS MATERIALIZED (
    SELECT kind, status, hour, count, {moment_of_hour} AS moment, {local_of_hour} AS local
    FROM hours
)
SELECT place, kind, status, SUM(count) AS count
FROM moments CROSS JOIN windows
WHERE moment >= CASE local WHEN 1 THEN local_start ELSE start END
    AND moment < CASE local WHEN 1 THEN local_end ELSE end_ END
GROUP BY place, kind, status
UNION ALL
SELECT CASE WHEN moment IS NULL THEN -1 WHEN moment < :sane_from THEN -2 ELSE -3 END AS place,
    NULL AS kind, min(hour) AS status, SUM(count) AS count
FROM moments
WHERE :remarks AND (moment IS NULL OR moment < :sane_from OR moment >= :sane_to)
GROUP BY 1
UNION ALL
SELECT -4, NULL, NULL, SUM(count) FROM moments WHERE :remarks HAVING SUM(count) > 0
ORDER BY place, count DESC, kind, status

-- name: failures
-- The failed tasks from :start up to :end (microseconds since 1970; the local ones are for times without an offset),
-- oldest first. `key` is what their rows are read by afterwards, a few at a time; `place` is what they are ordered by.
WITH failed AS MATERIALIZED (
    SELECT {key} AS key, {id} AS id, {moment} AS moment, {local} AS local
    FROM {table} AS t
    WHERE {rows} AND coalesce({status}, 'unknown') IN (SELECT value FROM json_each(:failed))
)
SELECT key, id, moment - CASE local WHEN 1 THEN :local_start - :start ELSE 0 END AS place
FROM failed
WHERE moment >= CASE local WHEN 1 THEN :local_start ELSE :start END
    AND moment < CASE local WHEN 1 THEN :local_end ELSE :end END
ORDER BY place, key

-- name: failure_records
-- The failed tasks behind some keys of `failures`.
SELECT {key} AS key, {id} AS id, coalesce({status}, 'unknown') AS status, {instant} AS created_at, {error} AS error, {traceback} AS traceback, {agent} AS agent, {kind} AS kind,
    {started_at} AS started_at, {finished_at} AS finished_at, {parent_id} AS parent_id, {retries} AS retries, {input} AS input, {version} AS version
FROM {asked}
    AND coalesce({status}, 'unknown') IN (SELECT value FROM json_each(:failed))

-- name: asked_by_number
json_each(:keys) AS asked CROSS JOIN {table} AS t
WHERE {key} = asked.value

-- name: asked_by_id
{table} AS t
WHERE {key} IN (SELECT value FROM json_each(:keys))
