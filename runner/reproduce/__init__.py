"""The report made again: `duograd reproduce`.

study: what conf/study/*.yaml may say, one file for each figure or table of the report. outcome: what its runs came to,
beside what was published. pictures: what it shows. page: the whole as Markdown and HTML.
"""
